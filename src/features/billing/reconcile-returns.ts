import type { ListedReturn, PaymentProvider } from './payment-provider.ts';
import { refreshDispute } from './refresh-dispute.ts';
import { refreshRefunds } from './refresh-refunds.ts';
import type { RefreshParts } from './refresh-subscription.ts';
import { type ReturnKind, staleDisputes, unseenReturns } from './returns.system.ts';

/** Refunds and disputes made since then are asked for: a refund may fail a month after it was made. */
const LOOK_BACK_MS = 35 * 86_400_000;
const STALE_BATCH = 200;

/**
 * Asks a provider for refunds and disputes of known invoices that no webhook told of.
 * @returns how many were looked at
 */
export async function reconcileReturns(
  parts: RefreshParts,
  provider: PaymentProvider,
  signal?: AbortSignal,
): Promise<number> {
  const since = new Date(parts.clock.now().getTime() - LOOK_BACK_MS);
  const { database, log } = parts;
  const refunds = await unseen(parts, provider, 'refund', provider.listRefundsSince(since));
  const disputes = await unseen(parts, provider, 'dispute', provider.listDisputesSince(since));
  disputes.push(...(await database.systemOnce((tx) => staleDisputes(tx, provider.name, STALE_BATCH))));
  const all = [...refunds, ...disputes];
  for (const { paymentId, disputeId } of all) {
    signal?.throwIfAborted();
    try {
      if (disputeId === null) await refreshRefunds(parts, provider, paymentId);
      else await refreshDispute(parts, provider, { paymentId, disputeId });
    } catch (error) {
      log.warn({ err: error, provider: provider.name, payment: paymentId }, 'payment not reconciled');
    }
  }
  return all.length;
}

/** None where they cannot be listed: what can be must not wait for that. */
async function unseen(
  { database, log }: RefreshParts,
  { name }: PaymentProvider,
  kind: ReturnKind,
  list: AsyncIterable<ListedReturn>,
): Promise<Omit<ListedReturn, 'at'>[]> {
  const listed: ListedReturn[] = [];
  try {
    for await (const one of list) listed.push(one);
  } catch (error) {
    log.warn({ err: error, provider: name, kind }, 'refunds or disputes not listed');
  }
  return database.systemOnce((tx) => unseenReturns(tx, name, kind, listed));
}
