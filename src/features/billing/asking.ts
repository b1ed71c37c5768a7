import type { Cause, Context } from '../../platform/context.ts';
import type { BillingDependencies } from './billing.service.ts';
import * as store from './billing.store.ts';
import type { MirrorRow } from './mirrors.model.ts';
import type { PaymentProvider } from './payment-provider.ts';
import { refreshSubscription } from './refresh-subscription.ts';

/** A subscription that a caller changes, and where. */
export interface Source {
  mirror: MirrorRow;
  provider: PaymentProvider;
}

/** Who asks, for the audit log. */
export function causeOf({ actor, ip, userAgent, requestId }: Context): Cause {
  return { actor, ip, userAgent, requestId };
}

/**
 * Asks a provider for a change in a caller's name and looks at once what came of it, not only when its webhook comes. A
 * webhook may be faster: until the look is done, or for two minutes, what anybody sees is put down to the caller.
 * @throws what `ask` and the provider throw
 */
export async function asking(
  deps: BillingDependencies,
  ctx: Context,
  { mirror, provider }: Source,
  ask: () => Promise<void>,
): Promise<void> {
  const { database } = deps;
  const cause = causeOf(ctx);
  await database.accountOnce(ctx, (tx) => store.markAsked(tx, mirror.id, cause));
  await ask();
  await refreshSubscription(deps, provider, mirror.provider_subscription_id, cause);
  await database.accountOnce(ctx, (tx) => store.markAsked(tx, mirror.id, null));
}
