import { createHmac } from 'node:crypto';
import { endOfPeriod, type SandboxContext } from '../sandbox-context.ts';
import type {
  RazorpayInvoice,
  RazorpayLink,
  RazorpayPayment,
  RazorpayPlan,
  RazorpaySubscription,
} from './razorpay-entities.ts';

/** Says that something happened, as a webhook whose id is in a header. */
export function emit(context: SandboxContext, event: string, payload: Record<string, object>): void {
  const { newId, now, webhooks } = context;
  const entities = Object.entries(payload).map(([name, entity]) => [name, { entity }] as const);
  const envelope = {
    entity: 'event',
    account_id: 'acc_sandbox',
    event,
    contains: Object.keys(payload),
    payload: Object.fromEntries(entities),
    created_at: now(),
  };
  webhooks.send({ provider: 'razorpay', eventId: newId('evt_'), text: JSON.stringify(envelope) });
}

export function planOf({ state }: SandboxContext, { plan_id: id }: RazorpaySubscription) {
  const plan = state.razorpay.plans[id];
  if (plan === undefined) throw new Error(`no plan ${id}`);
  return plan;
}

export function intervalOf({ period }: RazorpayPlan): 'month' | 'year' {
  return period === 'monthly' ? 'month' : 'year';
}

/** What the person brings back: a payment, and the signature that proves it. */
export interface Proof {
  paymentId: string;
  signature: string;
}

/** The person accepts the mandate, and the first cycle is charged. */
export function paySubscription(context: SandboxContext, subscription: RazorpaySubscription): Proof {
  const paymentId = context.newId('pay_');
  subscription.customer_id ??= context.newId('cust_');
  const first = subscription.status === 'created';
  charge(context, subscription, paymentId);
  if (first) {
    emit(context, 'subscription.authenticated', { subscription });
    emit(context, 'subscription.activated', { subscription });
  }
  return { paymentId, signature: sign(context, `${paymentId}|${subscription.id}`) };
}

/** A cycle that is paid. */
function charge(context: SandboxContext, subscription: RazorpaySubscription, paymentId: string): void {
  const { now } = context;
  const start = now();
  const plan = planOf(context, subscription);
  const end = endOfPeriod(start, intervalOf(plan));
  Object.assign(subscription, {
    status: 'active',
    current_start: start,
    current_end: end,
    charge_at: end,
    paid_count: subscription.paid_count + 1,
    remaining_count: subscription.remaining_count - 1,
  });
  const payment = bill(context, subscription, paymentId, plan.item.amount);
  emit(context, 'subscription.charged', { subscription, payment });
}

/** An invoice that is paid at once. */
export function bill(
  context: SandboxContext,
  subscription: RazorpaySubscription,
  paymentId: string,
  amount: number,
): RazorpayPayment {
  const invoice = writeInvoice(context, subscription, paymentId, amount);
  const { currency } = invoice;
  const payment: RazorpayPayment = {
    id: paymentId,
    entity: 'payment',
    amount,
    currency,
    status: 'captured',
    captured: '1',
    order_id: null,
    invoice_id: invoice.id,
    international: false,
    method: 'card',
    amount_refunded: 0,
    refund_status: null,
    notes: [],
    created_at: context.now(),
  };
  context.state.razorpay.payments[paymentId] = payment;
  emit(context, 'payment.captured', { payment });
  emit(context, 'invoice.paid', { payment, invoice });
  return payment;
}

/** The cycle is over: a scheduled change begins, a cancellation takes effect, or the next cycle is charged. */
export function renew(context: SandboxContext, subscription: RazorpaySubscription, works: boolean): void {
  const { state, now, newId } = context;
  const planned = state.razorpay.atCycleEnd[subscription.id];
  delete state.razorpay.atCycleEnd[subscription.id];
  if (planned && 'cancel' in planned) return end(context, subscription);
  if (planned) Object.assign(subscription, { plan_id: planned.planId, has_scheduled_changes: false });
  if (works) return charge(context, subscription, newId('pay_'));
  Object.assign(subscription, {
    status: 'pending',
    current_end: Math.min(subscription.current_end ?? now(), now()),
  });
  emit(context, 'subscription.pending', { subscription });
}

/** Three tries were not enough. */
export function halt(context: SandboxContext, subscription: RazorpaySubscription): void {
  subscription.status = 'halted';
  emit(context, 'subscription.halted', { subscription });
}

export function end(context: SandboxContext, subscription: RazorpaySubscription): void {
  Object.assign(subscription, { status: 'cancelled', ended_at: context.now(), charge_at: null });
  emit(context, 'subscription.cancelled', { subscription });
}

/** The person pays a link, once. */
export function payLink(context: SandboxContext, link: RazorpayLink): Proof {
  const { newId, now } = context;
  const paymentId = newId('pay_');
  const payment = {
    payment_id: paymentId,
    amount: link.amount,
    status: 'captured',
    method: 'card',
    created_at: now(),
  } as const;
  Object.assign(link, { status: 'paid', amount_paid: link.amount, payments: [payment], updated_at: now() });
  emit(context, 'payment_link.paid', {
    payment_link: link,
    // The samples leave the prefix of this id out.
    order: { id: newId(''), entity: 'order', amount: link.amount, status: 'paid' },
    payment: {
      id: paymentId,
      entity: 'payment',
      amount: link.amount,
      currency: link.currency,
      status: 'captured',
    },
  });
  return { paymentId, signature: sign(context, `${link.id}|${link.reference_id}|paid|${paymentId}`) };
}

function sign({ keys }: SandboxContext, message: string): string {
  return createHmac('sha256', keys.razorpayKeySecret).update(message).digest('hex');
}

function writeInvoice(
  context: SandboxContext,
  subscription: RazorpaySubscription,
  paymentId: string,
  amount: number,
): RazorpayInvoice {
  const { state, newId, now, url } = context;
  const { currency } = planOf(context, subscription).item;
  const id = newId('inv_');
  const invoice: RazorpayInvoice = {
    id,
    entity: 'invoice',
    invoice_number: null,
    receipt: null,
    subscription_id: subscription.id,
    payment_id: paymentId,
    status: 'paid',
    amount,
    currency,
    issued_at: now(),
    paid_at: now(),
    billing_start: subscription.current_start ?? now(),
    billing_end: subscription.current_end ?? now(),
    short_url: `${url}/invoices/${id}`,
    created_at: now(),
  };
  state.razorpay.invoices[id] = invoice;
  return invoice;
}
