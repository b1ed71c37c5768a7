import type { Cause } from '../../platform/context.ts';
import type { AccountTx, SystemTx } from '../../platform/db/scope.ts';
import { MIRROR_COLUMNS, type MirrorRow } from './mirrors.model.ts';
import type { Interval, PlanPrice, PlanRow, ProviderName } from './plans.model.ts';
import type { DisputeStatus, RefundStatus } from './refunds.model.ts';
import type { SubscriptionStatus } from './subscription.model.ts';

const PLANS = `select p.id, p.position, p.name, p.messages::float8 as messages, p.test_messages::float8 as test_messages,
    p.overage, p.sessions, p.test_sessions, p.requests_per_minute, p.test_requests_per_minute, p.members,
    p.retention_days, p.features, p.trial_days, p.sold,
    coalesce((select jsonb_agg(jsonb_build_object('interval', r.interval, 'currency', r.currency, 'amount', r.amount)
      order by r.currency, r.interval) from app.plan_prices r where r.plan = p.id), '[]') as prices
  from app.plans p`;

/** All plans with their prices, smallest first. */
export async function listPlans(tx: AccountTx): Promise<PlanRow[]> {
  return tx.query<PlanRow>(`${PLANS} order by p.position`);
}

/** The plans that are sold and the account's own, with their prices, smallest first. */
export async function listOfferedPlans(tx: AccountTx): Promise<PlanRow[]> {
  return tx.query<PlanRow>(
    `${PLANS} where p.sold or p.id = (select s.plan from subscriptions s) order by p.position`,
  );
}

/** The account's subscription, with its owner and the provider's subscription that it comes from. */
export interface CurrentRow {
  account_name: string;
  email: string | null;
  plan: string;
  status: SubscriptionStatus;
  trial_ends_at: Date | null;
  next_change_at: Date | null;
  source: MirrorRow | undefined;
}

/** `undefined` once the account is gone. */
export async function findCurrent(tx: AccountTx): Promise<CurrentRow | undefined> {
  const [row] = await tx.query<Omit<CurrentRow, 'source'> & { source_id: string | null }>(
    `select a.name as account_name, a.email, s.plan, s.status, s.trial_ends_at, s.next_change_at, s.source_id
     from subscriptions s join accounts a on a.id = s.account_id`,
  );
  if (row === undefined) return undefined;
  const [source] = await tx.query<MirrorRow>(
    `select ${MIRROR_COLUMNS} from provider_subscriptions where id = $1`,
    [row.source_id],
  );
  return { ...row, source };
}

export interface QuotaRow {
  mode: 'test' | 'live';
  used: number;
  message_limit: number;
  session_limit: number | null;
  member_limit: number | null;
  sessions: number;
  period_start: Date;
  period_end: Date;
}

/** What is used of the quotas of both modes. */
export async function findQuotas(tx: AccountTx): Promise<QuotaRow[]> {
  return tx.query<QuotaRow>(
    `select q.mode, app.messages_used(q)::float8 as used, q.message_limit::float8 as message_limit, q.session_limit,
       q.member_limit, (select count(*)::int from sessions s where s.mode = q.mode and s.desired <> 'deleted') as sessions,
       p.period_start, p.period_end
     from quotas q cross join lateral app.period_of(q.anchor, now()) p order by q.mode`,
  );
}

/** Subscriptions at providers that are not over, the one bought last first. */
export async function listLiveMirrors(tx: AccountTx): Promise<MirrorRow[]> {
  return tx.query<MirrorRow>(
    `select ${MIRROR_COLUMNS} from provider_subscriptions where status not in ('cancelled', 'expired')
     order by bought_at desc nulls last, id desc`,
  );
}

/** Keeps a subscription that is made before it is paid, so that it is known when it is, and not made twice. */
export async function insertCheckout(
  tx: AccountTx,
  checkout: {
    id: string;
    accountId: string;
    provider: ProviderName;
    subscriptionId: string;
    price: PlanPrice;
    renews: boolean;
    url: string;
  },
): Promise<void> {
  const { price } = checkout;
  await tx.query(
    `insert into provider_subscriptions
       (id, account_id, provider, provider_subscription_id, plan, interval, currency, amount, status, renews, checkout_url)
     values ($1, $2, $3, $4, $5, $6, $7, $8, 'incomplete', $9, $10)
     on conflict (provider, provider_subscription_id) do nothing`,
    [
      checkout.id,
      checkout.accountId,
      checkout.provider,
      checkout.subscriptionId,
      price.plan,
      price.interval,
      price.currency,
      price.amount,
      checkout.renews,
      checkout.url,
    ],
  );
}

/** Notes whether a cancellation was asked for, where the provider does not say it again. */
export async function markCancelAsked(tx: AccountTx | SystemTx, id: string, asked: boolean): Promise<void> {
  await tx.query(
    'update provider_subscriptions set cancel_asked = $2, cancel_at_period_end = $2 where id = $1',
    [id, asked],
  );
}

/** Notes who asks the provider for a change, so that whoever sees it first knows; null once it was seen. */
export async function markAsked(tx: AccountTx, id: string, by: Cause | null): Promise<void> {
  await tx.query(
    `update provider_subscriptions set asked_by = $2,
       asked_until = case when $2::jsonb is not null then now() + interval '2 minutes' end where id = $1`,
    [id, by],
  );
}

export async function findCustomer(
  tx: AccountTx,
  of: { provider: ProviderName; merchant: string },
): Promise<string | undefined> {
  const [row] = await tx.query<{ id: string }>(
    'select provider_customer_id as id from billing_customers where provider = $1 and merchant = $2',
    [of.provider, of.merchant],
  );
  return row?.id;
}

/** An invoice as stored; amounts in minor units. */
export interface InvoiceRow {
  id: string;
  provider: ProviderName;
  provider_invoice_id: string;
  number: string;
  status: 'open' | 'paid' | 'void' | 'failed';
  amount: number;
  amount_refunded: number;
  refund_status: RefundStatus | null;
  currency: string;
  plan: string | null;
  period_start: Date | null;
  period_end: Date | null;
  issued_at: Date;
  paid_at: Date | null;
  url: string | null;
  dispute_status: DisputeStatus | null;
  dispute_amount: number | null;
  dispute_reason: string | null;
  disputed_at: Date | null;
}

const INVOICES = `select id, provider, provider_invoice_id, number, status, amount::float8 as amount,
    amount_refunded::float8 as amount_refunded, refund_status, currency, plan, period_start, period_end, issued_at,
    paid_at, url, dispute_status, dispute_amount::float8 as dispute_amount, dispute_reason, disputed_at
  from invoices`;

export async function findInvoices(tx: AccountTx, ids: readonly string[]): Promise<InvoiceRow[]> {
  return tx.query<InvoiceRow>(`${INVOICES} where id = any($1::uuid[])`, [ids]);
}

/** Newest first. */
export async function listInvoices(
  tx: AccountTx,
  page: { limit: number; after?: string | undefined },
): Promise<InvoiceRow[]> {
  return tx.query<InvoiceRow>(`${INVOICES} where ($2::uuid is null or id < $2) order by id desc limit $1`, [
    page.limit,
    page.after ?? null,
  ]);
}

/** A price that is sold; `undefined` where there is none. */
export async function findSoldPrice(
  tx: AccountTx,
  of: { plan: string; interval: Interval; currency: string },
): Promise<(PlanPrice & { name: string; position: number }) | undefined> {
  const [row] = await tx.query<PlanPrice & { name: string; position: number }>(
    `select p.id as plan, r.interval, r.currency, r.amount::float8 as amount, p.name, p.position
     from app.plans p join app.plan_prices r on r.plan = p.id
     where p.sold and p.id = $1 and r.interval = $2 and r.currency = $3`,
    [of.plan, of.interval, of.currency],
  );
  return row;
}

/** Requests a minute that the account's keys may make; null where the plan does not say. */
export async function findRequestLimits(
  tx: AccountTx,
): Promise<{ live: number | null; test: number | null } | undefined> {
  const [row] = await tx.query<{ live: number | null; test: number | null }>(
    `select p.requests_per_minute as live, p.test_requests_per_minute as test
     from subscriptions s join app.plans p on p.id = s.plan`,
  );
  return row;
}
