import type { z } from 'zod';
import { toId } from '../../lib/ids.ts';
import type { checkoutView, InvoiceView, planList, subscriptionView } from './billing.schema.ts';
import type { Standing } from './billing.service.ts';
import type { InvoiceRow, QuotaRow } from './billing.store.ts';
import type { MirrorRow } from './mirrors.model.ts';
import type { PlanRow } from './plans.model.ts';
import type { Checkout } from './start-checkout.ts';

/** A plan as the API shows it. */
export function showPlan(plan: PlanRow): z.input<typeof planList>['data'][number] {
  const { id, name, messages, overage, sessions, requests_per_minute, members, retention_days } = plan;
  return {
    id,
    name,
    messages,
    overage,
    sessions,
    requests_per_minute,
    members,
    retention_days,
    features: plan.features,
    trial_days: plan.trial_days,
    test: { messages: plan.test_messages, sessions: plan.test_sessions },
    prices: plan.sold ? plan.prices : [],
  };
}

/** The account's plan, payment and use as the API shows them. */
export function showStanding({ current, quotas, plan }: Standing): z.input<typeof subscriptionView> {
  const { source, status } = current;
  const isPaid = source !== undefined && status !== 'trialing' && status !== 'free';
  return {
    plan: current.plan,
    status,
    trial_ends_at: iso(current.trial_ends_at),
    ...(isPaid ? showPayment(source) : NO_PAYMENT),
    live: showUsage(quotas, 'live', plan?.messages === null),
    test: showUsage(quotas, 'test', false),
  };
}

const NO_PAYMENT = {
  provider: null,
  interval: null,
  amount: null,
  currency: null,
  current_period_start: null,
  current_period_end: null,
  renews: false,
  cancel_at_period_end: false,
  scheduled_plan: null,
  scheduled_interval: null,
};

function showPayment(source: MirrorRow) {
  const { provider, interval, amount, currency, cancel_at_period_end, scheduled_plan, scheduled_interval } =
    source;
  return {
    provider,
    interval,
    amount,
    currency,
    current_period_start: iso(source.current_start),
    current_period_end: iso(source.current_end),
    renews: source.renews && !cancel_at_period_end && source.status !== 'cancelled',
    cancel_at_period_end,
    scheduled_plan,
    scheduled_interval,
  };
}

function showUsage(quotas: QuotaRow[], mode: QuotaRow['mode'], unlimited: boolean) {
  const quota = quotas.find((one) => one.mode === mode);
  if (quota === undefined) throw new Error(`the account has no ${mode} quota`);
  return {
    messages: { limit: unlimited ? null : quota.message_limit, used: quota.used },
    sessions: { limit: quota.session_limit, used: quota.sessions },
    period_start: quota.period_start.toISOString(),
    period_end: quota.period_end.toISOString(),
  };
}

/** A checkout as the API shows it; what does not renew is a payment link. */
export function showCheckout(checkout: Checkout, renews: boolean): z.input<typeof checkoutView> {
  const { url, provider, subscriptionId: id, keyId } = checkout;
  const ids = (made: string) =>
    renews
      ? { subscription_id: made, payment_link_id: null }
      : { subscription_id: null, payment_link_id: made };
  const razorpay = keyId === undefined || id === undefined ? null : { key_id: keyId, ...ids(id) };
  return { url, provider, razorpay };
}

/** An invoice as the API shows it. */
export function showInvoice(row: InvoiceRow): InvoiceView {
  const { number, status, amount, amount_refunded, refund_status, currency, plan, provider, url } = row;
  return {
    id: toId('invoice', row.id),
    number,
    status,
    amount,
    amount_refunded,
    refund_status,
    dispute: showDispute(row),
    currency,
    plan,
    provider,
    provider_invoice_id: row.provider_invoice_id,
    url,
    period_start: iso(row.period_start),
    period_end: iso(row.period_end),
    issued_at: row.issued_at.toISOString(),
    paid_at: iso(row.paid_at),
  };
}

/** The last dispute of a payment as the API shows it; null where there was none. */
export function showDispute(
  row: Pick<InvoiceRow, 'dispute_status' | 'dispute_amount' | 'dispute_reason' | 'disputed_at'>,
): InvoiceView['dispute'] {
  const { dispute_status: status, dispute_amount: amount, dispute_reason: reason, disputed_at: opened } = row;
  if (status === null || amount === null || opened === null) return null;
  return { status, amount, reason, opened_at: opened.toISOString() };
}

function iso(time: Date | null | undefined): string | null {
  return time?.toISOString() ?? null;
}
