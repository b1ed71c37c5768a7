import { markCancelAsked } from './billing.store.ts';
import { doublesOf, liveMirrorsOf } from './mirrors.system.ts';
import type { PaymentProviders } from './providers.ts';
import { type RefreshParts, refreshSubscription } from './refresh-subscription.ts';
import { isOver } from './subscription.model.ts';

type EndParts = RefreshParts & { providers: PaymentProviders };

/**
 * Has all subscriptions but the one paid last end with their period, where two checkouts of one account were both paid.
 * @throws what the provider throws
 */
export async function endDoubles(parts: EndParts, accountId: string): Promise<void> {
  const { database, providers, log } = parts;
  for (const { id, provider: name, subscriptionId } of await database.systemOnce((tx) =>
    doublesOf(tx, accountId),
  )) {
    const provider = providers.find(name);
    if (provider === undefined) continue;
    log.warn({ provider: name, subscription: subscriptionId }, 'paid twice: the older subscription ends');
    await provider.cancel(subscriptionId, 'period_end');
    await database.systemOnce((tx) => markCancelAsked(tx, id, true));
    await refreshSubscription(parts, provider, subscriptionId);
  }
}

/**
 * Ends at once whatever an account would go on paying for, because it is being erased. May be called again.
 * @throws what the provider throws, where a subscription could not be ended
 */
export async function endSubscriptions(parts: EndParts, accountId: string): Promise<void> {
  const { database, providers, log } = parts;
  for (const { provider: name, subscriptionId } of await database.systemOnce((tx) =>
    liveMirrorsOf(tx, accountId),
  )) {
    const provider = providers.find(name);
    const seen = await provider?.fetchSubscription(subscriptionId);
    if (provider === undefined || seen === undefined) {
      log.error(
        { provider: name, subscription: subscriptionId },
        'known to no provider here: it is not ended',
      );
      continue;
    }
    if (!isOver(seen.status)) await provider.cancel(subscriptionId, 'now');
    await refreshSubscription(parts, provider, subscriptionId);
  }
}
