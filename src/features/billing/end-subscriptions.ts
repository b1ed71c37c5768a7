import { liveMirrorsOf } from './mirrors.system.ts';
import type { PaymentProviders } from './providers.ts';
import { type RefreshParts, refreshSubscription } from './refresh-subscription.ts';

/**
 * Ends at once whatever an account would go on paying for, because it is being erased. May be called again.
 * @throws what the provider throws, where a subscription could not be ended
 */
export async function endSubscriptions(
  parts: RefreshParts & { providers: PaymentProviders },
  accountId: string,
): Promise<void> {
  const { database, providers, log } = parts;
  const live = () => database.systemOnce((tx) => liveMirrorsOf(tx, accountId));
  // First as the provider has them now: some may be over already.
  for (const { provider: name, subscriptionId } of await live()) {
    const provider = providers.find(name);
    if (provider) await refreshSubscription(parts, provider, subscriptionId);
    else log.error({ provider: name, subscription: subscriptionId }, 'provider not set up: it is not ended');
  }
  for (const { provider: name, subscriptionId } of await live()) {
    const provider = providers.find(name);
    if (provider === undefined) continue;
    await provider.cancel(subscriptionId, 'now');
    await refreshSubscription(parts, provider, subscriptionId);
  }
}
