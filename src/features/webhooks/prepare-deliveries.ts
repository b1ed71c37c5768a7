import type { Clock } from '../../lib/clock.ts';
import type { Vault } from '../../platform/crypto/vault.ts';
import type { Log } from '../../platform/log/log.ts';
import { openTarget, type Target } from './attempt-delivery.ts';
import type { ClaimedDelivery, ClaimedEndpoint } from './claim.system.ts';
import type { Claimed } from './claim-deliveries.ts';
import { isPassing } from './passing-trouble.ts';

export interface PreparingParts {
  vault: Vault;
  clock: Clock;
  log: Log;
}

/** A claimed delivery that can be sent. */
export interface ReadyDelivery {
  delivery: ClaimedDelivery;
  body: string;
  target: Target;
  /** When it was claimed, in milliseconds since the epoch. */
  since: number;
}

/** One that never can, and the stable word for why. */
interface UnsendableDelivery {
  delivery: ClaimedDelivery;
  error: string;
}

/**
 * Brings claimed deliveries together with their payloads and the opened endpoint.
 * @throws while the database is in trouble: the deliveries must then be given back
 */
export async function prepareDeliveries(
  parts: PreparingParts,
  { deliveries, endpoint, payloads: building }: Claimed,
): Promise<{ ready: ReadyDelivery[]; unsendable: UnsendableDelivery[] }> {
  const since = parts.clock.now().getTime();
  const [payloads, target] = await Promise.all([building, targetOf(parts, endpoint)]);
  const ready: ReadyDelivery[] = [];
  const unsendable: UnsendableDelivery[] = [];
  for (const delivery of deliveries) {
    const payload = payloads.get(delivery.event_id) ?? { error: 'event_gone' };
    if ('error' in payload) unsendable.push({ delivery, error: payload.error });
    else if (target === undefined) unsendable.push({ delivery, error: 'endpoint_unreadable' });
    else ready.push({ delivery, target, since, body: payload.body });
  }
  return { ready, unsendable };
}

/** `undefined` where what the endpoint keeps sealed cannot be opened, today or ever. */
async function targetOf(
  { vault, clock, log }: PreparingParts,
  endpoint: ClaimedEndpoint,
): Promise<Target | undefined> {
  try {
    return await openTarget(vault, endpoint, clock.now());
  } catch (error) {
    if (isPassing(error)) throw error;
    log.error({ err: error, endpoint: endpoint.id }, 'webhooks: an endpoint cannot be opened');
    return undefined;
  }
}
