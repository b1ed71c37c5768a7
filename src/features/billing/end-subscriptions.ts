import { markCancelAsked } from './billing.store.ts';
import type { MirrorRow } from './mirrors.model.ts';
import { liveMirrorsOf } from './mirrors.system.ts';
import type { PaymentProvider } from './payment-provider.ts';
import type { PaymentProviders } from './providers.ts';
import { type RefreshParts, refreshSubscription } from './refresh-subscription.ts';
import { mirrorOf } from './settle-account.ts';
import { isOver } from './subscription.model.ts';
import { supersededOf } from './superseded.model.ts';

type EndParts = RefreshParts & { providers: PaymentProviders };

/**
 * Ends the subscriptions that another one, bought since, has taken the place of: those that are paid with their period,
 * those that owe at once, so that a late payment does not bring them back. May be called again.
 * @throws what the provider throws
 */
export async function endSuperseded(parts: EndParts, accountId: string): Promise<void> {
  const { database, providers, clock, log } = parts;
  const rows = await database.systemOnce((tx) => liveMirrorsOf(tx, accountId));
  const superseded = new Set(supersededOf(rows.map(mirrorOf), clock.now()).map(({ id }) => id));
  for (const row of rows.filter(({ id }) => superseded.has(id))) {
    const { provider: name, provider_subscription_id: subscriptionId, status } = row;
    const provider = providers.find(name);
    if (provider === undefined) continue;
    log.warn({ provider: name, subscription: subscriptionId, status }, 'another was bought since: it ends');
    await endOne(parts, provider, row);
  }
}

/** What is known here may be old: where a payment came meanwhile, its period is left to be used up. */
async function endOne(parts: EndParts, provider: PaymentProvider, { id, ...row }: MirrorRow): Promise<void> {
  const { provider_subscription_id: subscriptionId } = row;
  const seen = await provider.fetchSubscription(subscriptionId);
  if (seen !== undefined && !isOver(seen.status)) {
    const when = seen.status === 'active' ? 'period_end' : 'now';
    await provider.cancel(subscriptionId, when);
    if (when === 'period_end') await parts.database.systemOnce((tx) => markCancelAsked(tx, id, true));
  }
  await refreshSubscription(parts, provider, subscriptionId);
}

/**
 * Ends at once whatever an account would go on paying for, because it is being erased. May be called again.
 * @throws what the provider throws, where a subscription could not be ended
 */
export async function endSubscriptions(parts: EndParts, accountId: string): Promise<void> {
  const { database, providers, log } = parts;
  for (const row of await database.systemOnce((tx) => liveMirrorsOf(tx, accountId))) {
    const { provider: name, provider_subscription_id: subscriptionId } = row;
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
