import { toId } from '../../lib/ids.ts';
import type { Mode } from '../../lib/mode.ts';
import type { Context } from '../../platform/context.ts';
import type { Log } from '../../platform/log/log.ts';
import type { ClaimedDelivery } from './claim.system.ts';
import { isEventType } from './event-types.ts';
import { isPassing } from './passing-trouble.ts';
import { samplePayload } from './sample-event.ts';

/** An event as stored. */
export interface StoredEvent {
  id: string;
  txid: string;
  mode: Mode;
  type: string;
  session_id: string | null;
  message_id: string | null;
  data: Record<string, unknown>;
  created_at: Date;
}

/** An event as the API shows it. */
export interface ShownEvent {
  id: string;
  type: string;
  created_at: string;
  mode: Mode;
  session_id: string | null;
  data: object;
}

/** Events as the API shows them, in the order given. Rejects as a whole where one cannot be shown. */
export type ShowEvents = (ctx: Context, events: readonly StoredEvent[]) => Promise<ShownEvent[]>;

/** What is sent: the body as signed, or why there is none and never will be. */
export type Payload =
  | { body: string }
  /** `event_gone`: no longer kept. `event_unreadable`: what it is about cannot be decrypted. */
  | { error: 'event_gone' | 'event_unreadable' };

interface PayloadParts {
  mode: Mode;
  showEvents: ShowEvents;
  log: Log;
}

/**
 * Builds the payloads of one account's deliveries, each event once and all messages in one query. An event that cannot
 * be shown fails alone.
 * @returns payloads by the event's UUID
 * @throws what the database throws while it is in trouble: then nothing is known about any of them
 */
export async function buildPayloads(
  parts: PayloadParts,
  accountId: string,
  deliveries: readonly ClaimedDelivery[],
): Promise<Map<string, Payload>> {
  const { mode } = parts;
  const payloads = new Map<string, Payload>();
  const events = new Map<string, StoredEvent>();
  for (const { event_id: id, event_type: type, event_at: at, sample, event } of deliveries) {
    if (sample && isEventType(type)) {
      const payload = samplePayload({ eventId: id, type, at: new Date(at), mode, accountId });
      payloads.set(id, { body: JSON.stringify(payload) });
    } else if (event === null) payloads.set(id, { error: 'event_gone' });
    else events.set(id, { ...event, id, type, mode, created_at: new Date(event.created_at) });
  }
  await show(parts, accountId, [...events.values()], payloads);
  return payloads;
}

/** Halves what cannot be shown together, until those at fault are found. */
async function show(
  parts: PayloadParts,
  accountId: string,
  events: readonly StoredEvent[],
  payloads: Map<string, Payload>,
): Promise<void> {
  const [first] = events;
  if (first === undefined) return;
  try {
    const shown = await parts.showEvents(contextOf(parts, accountId), events);
    for (const [i, { id }] of events.entries()) {
      const event = shown[i];
      payloads.set(id, event === undefined ? { error: 'event_gone' } : { body: payloadOf(event, accountId) });
    }
  } catch (error) {
    if (isPassing(error)) throw error;
    if (events.length === 1) {
      parts.log.error({ err: error, event: first.id }, 'webhooks: an event cannot be shown');
      payloads.set(first.id, { error: 'event_unreadable' });
      return;
    }
    const half = Math.ceil(events.length / 2);
    await show(parts, accountId, events.slice(0, half), payloads);
    await show(parts, accountId, events.slice(half), payloads);
  }
}

function payloadOf({ id, type, created_at, mode, session_id, data }: ShownEvent, accountId: string): string {
  return JSON.stringify({
    id,
    type,
    created_at,
    mode,
    account_id: toId('account', accountId),
    session_id,
    data,
  });
}

function contextOf({ mode, log }: PayloadParts, accountId: string): Context {
  return {
    accountId,
    mode,
    actor: { type: 'system', name: 'webhooks' },
    scopes: new Set(),
    requestId: '',
    log,
  };
}
