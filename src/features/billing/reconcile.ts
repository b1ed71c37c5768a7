import { endSuperseded } from './end-subscriptions.ts';
import { staleMirrors } from './mirrors.system.ts';
import type { PaymentProvider } from './payment-provider.ts';
import type { PaymentProviders } from './providers.ts';
import { reconcileReturns } from './reconcile-returns.ts';
import { type RefreshParts, refreshSubscription } from './refresh-subscription.ts';

/** Subscriptions made since then are asked for: longer than any provider sends its webhooks again. */
const LOOK_BACK_MS = 4 * 86_400_000;
const STALE_BATCH = 200;

/**
 * Asks a provider for what its webhooks did not tell: subscriptions that are new, those without news for long, and then
 * refunds and disputes, whose invoices are known by now.
 * @returns how many were looked at
 */
export async function reconcile(
  parts: RefreshParts & { providers: PaymentProviders },
  provider: PaymentProvider,
  signal?: AbortSignal,
): Promise<number> {
  const { database, clock, log } = parts;
  const ids = new Set(await database.systemOnce((tx) => staleMirrors(tx, provider.name, STALE_BATCH)));
  const since = new Date(clock.now().getTime() - LOOK_BACK_MS);
  for await (const id of provider.listSubscriptionsSince(since)) ids.add(id);
  for (const id of ids) {
    signal?.throwIfAborted();
    // One that cannot be had must not keep the others waiting.
    try {
      const result = await refreshSubscription(parts, provider, id);
      if (result.ignored === undefined) await endSuperseded(parts, result.accountId);
    } catch (error) {
      log.warn({ err: error, provider: provider.name, subscription: id }, 'subscription not reconciled');
    }
  }
  return ids.size + (await reconcileReturns(parts, provider, signal));
}
