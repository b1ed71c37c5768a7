import { createHash } from 'node:crypto';
import type { Context } from '../../platform/context.ts';
import { causeOf } from './asking.ts';
import { billingErrors } from './billing.errors.ts';
import type { BillingDependencies } from './billing.service.ts';
import * as store from './billing.store.ts';
import type { MirrorRow } from './mirrors.model.ts';
import type { PaymentProvider } from './payment-provider.ts';
import type { Interval, PlanPrice, ProviderName } from './plans.model.ts';
import { findProviderPrice, keepProviderPrice } from './provider-prices.system.ts';

export interface CheckoutRequest {
  plan: string;
  interval: Interval;
  provider: ProviderName | undefined;
  renews: boolean;
  returnUrl: string | undefined;
  /** The caller's own, where one was sent. */
  idempotencyKey: string | undefined;
}

export interface Checkout {
  url: string;
  provider: ProviderName;
  /** Of the provider's subscription or payment link, where it is made before it is paid. */
  subscriptionId: string | undefined;
  keyId: string | undefined;
}

/** A page that was made is good for so long; then another one is. */
const REUSE_MS = 20 * 3_600_000;

/** Starts paying for a plan: answers where. Nothing changes before the provider says that it was paid. */
export async function startCheckout(
  deps: BillingDependencies,
  ctx: Context,
  request: CheckoutRequest,
): Promise<Checkout> {
  const { database, clock } = deps;
  const provider = deps.providers.choose(request.provider);
  const price = await soldPrice(deps, ctx, provider, request);
  const { current, live, customerId } = await database.account(ctx, async (tx) => ({
    current: await store.findCurrent(tx),
    live: await store.listLiveMirrors(tx),
    customerId: await store.findCustomer(tx, { provider: provider.name, merchant: provider.merchant }),
  }));
  if (live.some(isPaying)) throw billingErrors.alreadySubscribed();
  const since = new Date(clock.now().getTime() - REUSE_MS);
  const open = live.find((mirror) =>
    isSameCheckout(mirror, { provider, price, renews: request.renews, since }),
  );
  if (open?.checkout_url) {
    const { provider_subscription_id: subscriptionId } = open;
    return { url: open.checkout_url, provider: provider.name, subscriptionId, keyId: provider.keyId };
  }
  const priceId = await providerPriceOf(deps, provider, price, price.name);
  const started = await provider.startCheckout({
    accountId: ctx.accountId,
    startedBy: causeOf(ctx),
    accountName: current?.account_name ?? '',
    email: current?.email ?? null,
    customerId,
    price,
    priceId,
    renews: request.renews,
    returnUrl: request.returnUrl ?? deps.returnUrl,
    idempotencyKey: keyOf(ctx, request),
  });
  await keepCheckout(deps, ctx, provider, { price, renews: request.renews, ...started });
  return {
    url: started.url,
    provider: provider.name,
    subscriptionId: started.subscriptionId,
    keyId: provider.keyId,
  };
}

/** Whether somebody pays for it now, or owes; a plan that was cancelled may be followed by another. */
export function isPaying({ status, renews, cancel_at_period_end: ends }: MirrorRow): boolean {
  return renews && !ends && (status === 'active' || status === 'past_due');
}

/** @throws billing.plan_not_sold */
export async function soldPrice(
  { database }: BillingDependencies,
  ctx: Context,
  { currency }: PaymentProvider,
  { plan, interval }: { plan: string; interval: Interval },
) {
  const price = await database.accountOnce(ctx, (tx) =>
    store.findSoldPrice(tx, { plan, interval, currency }),
  );
  if (price === undefined) {
    const detail = `is no plan that is sold by the ${interval} in ${currency}`;
    throw billingErrors.planUnknown({ fields: [{ pointer: '/plan', detail }] });
  }
  return price;
}

/** The provider's id of a price, which is made there when it is first wanted. */
export async function providerPriceOf(
  { database }: BillingDependencies,
  provider: PaymentProvider,
  price: PlanPrice,
  planName: string,
): Promise<string> {
  const at = { provider: provider.name, merchant: provider.merchant, price };
  const known = await database.systemOnce((tx) => findProviderPrice(tx, at));
  if (known !== undefined) return known;
  const made = await provider.createPrice(price, planName);
  return database.systemOnce((tx) => keepProviderPrice(tx, at, made));
}

function isSameCheckout(
  mirror: MirrorRow,
  wanted: { provider: PaymentProvider; price: PlanPrice; renews: boolean; since: Date },
): boolean {
  const { provider, price, renews, since } = wanted;
  return (
    mirror.status === 'incomplete' &&
    mirror.provider === provider.name &&
    mirror.plan === price.plan &&
    mirror.interval === price.interval &&
    mirror.amount === price.amount &&
    mirror.renews === renews &&
    mirror.created_at > since
  );
}

/** Where a caller repeats a request, the provider makes nothing twice. */
function keyOf(ctx: Context, { idempotencyKey }: CheckoutRequest): string {
  const seed = idempotencyKey === undefined ? ctx.requestId : `${ctx.accountId} ${idempotencyKey}`;
  return `pingr_${createHash('sha256').update(seed).digest('hex').slice(0, 32)}`;
}

async function keepCheckout(
  { database, newUuid }: BillingDependencies,
  ctx: Context,
  { name }: PaymentProvider,
  made: { price: PlanPrice; renews: boolean; subscriptionId: string | undefined; url: string },
): Promise<void> {
  const { subscriptionId, price, renews, url } = made;
  if (subscriptionId === undefined) return;
  const checkout = {
    id: newUuid(),
    accountId: ctx.accountId,
    provider: name,
    subscriptionId,
    price,
    renews,
    url,
  };
  await database.accountOnce(ctx, (tx) => store.insertCheckout(tx, checkout));
}
