import type { Cause } from '../../platform/context.ts';
import type { SystemTx } from '../../platform/db/scope.ts';
import { MIRROR_COLUMNS, type MirrorRow } from './mirrors.model.ts';
import type { SeenSubscription } from './payment-provider.ts';
import type { PlanPrice, ProviderName } from './plans.model.ts';

/** Names a subscription at a provider. */
export interface MirrorName {
  provider: ProviderName;
  subscriptionId: string;
}

/** To take before looking at the provider; `undefined` for a subscription that is not known yet. */
export async function takeTicket(
  tx: SystemTx,
  { provider, subscriptionId }: MirrorName,
): Promise<number | undefined> {
  const [row] = await tx.query<{ ticket: number }>(
    `update provider_subscriptions set tickets = tickets + 1, looked_at = now()
     where provider = $1 and provider_subscription_id = $2 returning tickets::float8 as ticket`,
    [provider, subscriptionId],
  );
  return row?.ticket;
}

/** The subscription, locked until the transaction ends, with whoever asks the provider for a change of it just now. */
export async function lockMirror(
  tx: SystemTx,
  { provider, subscriptionId }: MirrorName,
): Promise<(MirrorRow & { asked_by: Cause | null }) | undefined> {
  const [row] = await tx.query<MirrorRow & { asked_by: Cause | null }>(
    `select ${MIRROR_COLUMNS}, case when asked_until > now() then asked_by end as asked_by from provider_subscriptions
     where provider = $1 and provider_subscription_id = $2 for update`,
    [provider, subscriptionId],
  );
  return row;
}

/** Makes the row of a subscription, to be filled by a look. @returns false where the account is gone */
export async function insertMirror(
  tx: SystemTx,
  mirror: {
    id: string;
    accountId: string;
    provider: ProviderName;
    subscriptionId: string;
    price: PlanPrice;
    renews: boolean;
  },
): Promise<boolean> {
  const { price } = mirror;
  const [account] = await tx.query<{ found: boolean }>(
    `with made as (
       insert into provider_subscriptions
         (id, account_id, provider, provider_subscription_id, plan, interval, currency, amount, status, renews)
       select $1, a.id, $3, $4, $5, $6, $7, $8, 'incomplete', $9 from accounts a where a.id = $2
       on conflict (provider, provider_subscription_id) do nothing
     ) select exists (select from accounts where id = $2) as found`,
    [
      mirror.id,
      mirror.accountId,
      mirror.provider,
      mirror.subscriptionId,
      price.plan,
      price.interval,
      price.currency,
      price.amount,
      mirror.renews,
    ],
  );
  return account?.found ?? false;
}

/** Writes what a look saw. */
export async function writeLook(
  tx: SystemTx,
  id: string,
  look: { ticket: number; seen: SeenSubscription; price: PlanPrice; scheduled: PlanPrice | undefined },
): Promise<void> {
  const { seen, price, scheduled } = look;
  await tx.query(
    `update provider_subscriptions set ticket = $2, provider_customer_id = coalesce($3, provider_customer_id),
       plan = $4, interval = $5, currency = $6, amount = $7, status = $8, current_start = $9, current_end = $10,
       cancel_at_period_end = coalesce($11, cancel_asked), scheduled_plan = $12, scheduled_interval = $13,
       ended_at = $14, past_due_since = $15, checkout_url = $16,
       bought_at = least(bought_at, $17) where id = $1`,
    [
      id,
      look.ticket,
      seen.customerId,
      price.plan,
      price.interval,
      price.currency,
      price.amount,
      seen.status,
      seen.currentStart,
      seen.currentEnd,
      seen.cancelAtPeriodEnd ?? null,
      scheduled?.plan ?? null,
      scheduled?.interval ?? null,
      seen.endedAt,
      seen.pastDueSince,
      seen.checkoutUrl,
      seen.boughtAt,
    ],
  );
}

/** What a provider's price is for; `undefined` for one that was not made here. */
export async function findPrice(
  tx: SystemTx,
  of: { provider: ProviderName; merchant: string; priceId: string },
): Promise<PlanPrice | undefined> {
  const [row] = await tx.query<PlanPrice>(
    `select plan, interval, currency, amount::float8 as amount from app.provider_prices
     where provider = $1 and merchant = $2 and provider_price_id = $3`,
    [of.provider, of.merchant, of.priceId],
  );
  return row;
}

/** Remembers the customer that the provider made, for the next checkout. */
export async function keepCustomer(
  tx: SystemTx,
  customer: { accountId: string; provider: ProviderName; merchant: string; customerId: string },
): Promise<void> {
  await tx.query(
    `insert into billing_customers (account_id, provider, merchant, provider_customer_id) values ($1, $2, $3, $4)
     on conflict (account_id, provider, merchant) do update set provider_customer_id = excluded.provider_customer_id`,
    [customer.accountId, customer.provider, customer.merchant, customer.customerId],
  );
}

/** Subscriptions that nobody has looked at for a while, or whose period is over with no news of the next. */
export async function staleMirrors(tx: SystemTx, provider: ProviderName, limit: number): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(
    `select provider_subscription_id as id from provider_subscriptions
     where provider = $1 and status not in ('cancelled', 'expired') and (
       looked_at < now() - interval '6 hours'
       or current_end < now() and looked_at < now() - interval '30 minutes')
     order by looked_at limit $2`,
    [provider, limit],
  );
  return rows.map(({ id }) => id);
}

/** Subscriptions of an account that renew and are not over. */
export async function liveMirrorsOf(tx: SystemTx, accountId: string): Promise<MirrorRow[]> {
  return tx.query<MirrorRow>(
    `select ${MIRROR_COLUMNS} from provider_subscriptions
     where account_id = $1 and renews and status not in ('cancelled', 'expired')`,
    [accountId],
  );
}
