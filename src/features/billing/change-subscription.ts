import type { Context } from '../../platform/context.ts';
import { asking, type Source } from './asking.ts';
import { billingErrors } from './billing.errors.ts';
import type { BillingDependencies } from './billing.service.ts';
import * as store from './billing.store.ts';
import type { MirrorRow } from './mirrors.model.ts';
import type { When } from './payment-provider.ts';
import type { Interval, PlanPrice } from './plans.model.ts';
import { isPaying, providerPriceOf, soldPrice } from './start-checkout.ts';

/** Upwards at once, where the difference is paid; downwards with the next period. @throws billing.payment_declined */
export async function changePlan(
  deps: BillingDependencies,
  ctx: Context,
  to: { plan: string; interval: Interval },
): Promise<void> {
  const source = await findSource(deps, ctx, isPaying);
  const { mirror, provider } = source;
  const wanted = await soldPrice(deps, ctx, provider, to);
  if (isOn(mirror, to)) throw billingErrors.samePlan();
  const plans = await deps.database.accountOnce(ctx, store.listPlans);
  const current = plans.find(({ id }) => id === mirror.plan)?.position ?? 0;
  const priceId = await providerPriceOf(deps, provider, wanted, wanted.name);
  const when = isUpgrade({ ...mirror, position: current }, wanted) ? 'now' : 'period_end';
  await asking(deps, ctx, source, () => provider.changePrice(mirror.provider_subscription_id, priceId, when));
}

function isOn(
  { plan, interval, scheduled_plan: next, scheduled_interval: nextInterval }: MirrorRow,
  to: { plan: string; interval: Interval },
): boolean {
  return (next ?? plan) === to.plan && (nextInterval ?? interval) === to.interval;
}

type Ranked = Pick<PlanPrice, 'interval'> & { position: number };

/** A larger plan, or the same one paid for longer. */
function isUpgrade(from: Ranked, to: Ranked): boolean {
  if (from.position !== to.position) return to.position > from.position;
  return to.interval === 'year';
}

/** Ends what is paid: with the period, so that what was paid is used, or at once. */
export async function cancelSubscription(deps: BillingDependencies, ctx: Context, when: When): Promise<void> {
  const isLive = (mirror: MirrorRow) => mirror.renews && mirror.status !== 'incomplete';
  const source = await findSource(deps, ctx, isLive);
  const { mirror, provider } = source;
  // What is not paid for has no period to use up.
  const at = mirror.status === 'active' ? when : 'now';
  await asking(deps, ctx, source, async () => {
    await provider.cancel(mirror.provider_subscription_id, at);
    if (at === 'now') return;
    await deps.database.accountOnce(ctx, (tx) => store.markCancelAsked(tx, mirror.id, true));
  });
}

/** Takes a cancellation back, or goes on after a pause. */
export async function resumeSubscription(deps: BillingDependencies, ctx: Context): Promise<void> {
  const source = await findSource(deps, ctx, ({ renews, status }) => renews && status !== 'incomplete');
  const { mirror, provider } = source;
  if (!mirror.cancel_at_period_end && mirror.status !== 'halted') throw billingErrors.notCancelled();
  await asking(deps, ctx, source, async () => {
    await provider.resume(mirror.provider_subscription_id);
    await deps.database.accountOnce(ctx, (tx) => store.markCancelAsked(tx, mirror.id, false));
  });
}

/** A page at the provider where the card is changed and invoices are shown. */
export async function manageUrl(deps: BillingDependencies, ctx: Context, returnUrl: string): Promise<string> {
  const { mirror, provider } = await findSource(deps, ctx, ({ renews }) => renews);
  return provider.manageUrl({
    customerId: mirror.provider_customer_id,
    subscriptionId: mirror.provider_subscription_id,
    returnUrl,
  });
}

/** The newest subscription that fits. @throws billing.not_subscribed */
async function findSource(
  { database, providers }: BillingDependencies,
  ctx: Context,
  fits: (mirror: MirrorRow) => boolean,
): Promise<Source> {
  const live = await database.accountOnce(ctx, store.listLiveMirrors);
  const mirror = live.find((one) => one.status === 'active' && fits(one)) ?? live.find(fits);
  if (mirror === undefined) throw billingErrors.notSubscribed();
  return { mirror, provider: providers.choose(mirror.provider) };
}
