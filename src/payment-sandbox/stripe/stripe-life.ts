import { endOfPeriod, type SandboxContext } from '../sandbox-context.ts';
import type {
  StripeInvoice,
  StripeInvoicePayment,
  StripePrice,
  StripeSession,
  StripeSubscription,
} from './stripe-entities.ts';

/** The version that the library of the day asks for. */
const API_VERSION = '2026-10-28.endive';
/** Events are kept to be listed. */
const KEPT_EVENTS = 500;

/** Says that something happened: a webhook, and a line in the list of events. */
export function emit({ state, newId, now, webhooks }: SandboxContext, type: string, object: object): void {
  const id = newId('evt_');
  const event = { id, object: 'event' as const, type, created: now() };
  state.stripe.events = [...state.stripe.events, event].slice(-KEPT_EVENTS);
  const envelope = {
    ...event,
    api_version: API_VERSION,
    livemode: false,
    pending_webhooks: 1,
    request: { id: null, idempotency_key: null },
    data: { object },
  };
  webhooks.send({ provider: 'stripe', eventId: id, text: JSON.stringify(envelope) });
}

/** The person pays: customer, subscription and first invoice come to be. */
export function paySession(context: SandboxContext, session: StripeSession): void {
  const { state, newId, now } = context;
  const price = state.stripe.prices[session.price];
  if (session.status !== 'open' || price === undefined) return;
  const customer = session.customer ?? newId('cus_');
  state.stripe.customers[customer] ??= {
    id: customer,
    object: 'customer',
    email: session.customer_email,
    created: now(),
  };
  const start = now();
  const subscription: StripeSubscription = {
    id: newId('sub_'),
    object: 'subscription',
    customer,
    status: 'active',
    created: start,
    start_date: start,
    cancel_at_period_end: false,
    cancel_at: null,
    canceled_at: null,
    ended_at: null,
    metadata: session.subscription_metadata,
    schedule: null,
    latest_invoice: null,
    items: {
      object: 'list',
      data: [
        {
          id: newId('si_'),
          object: 'subscription_item',
          quantity: 1,
          price,
          current_period_start: start,
          current_period_end: endOfPeriod(start, price.recurring.interval),
        },
      ],
    },
  };
  state.stripe.subscriptions[subscription.id] = subscription;
  Object.assign(session, {
    status: 'complete',
    payment_status: 'paid',
    url: null,
    customer,
    subscription: subscription.id,
  });
  const invoice = writeInvoice(context, subscription, price.unit_amount, 'paid');
  emit(context, 'checkout.session.completed', session);
  emit(context, 'customer.subscription.created', subscription);
  emit(context, 'invoice.paid', invoice);
}

/** The period is over: a scheduled price begins, a cancellation takes effect, or the next one is charged. */
export function renew(context: SandboxContext, subscription: StripeSubscription, works: boolean): void {
  if (subscription.status === 'canceled') return;
  if (subscription.cancel_at_period_end) return end(context, subscription);
  if (works && settle(context, subscription)) return;
  const [item] = subscription.items.data;
  if (item === undefined) return;
  item.price = beginPhase(context, subscription) ?? item.price;
  item.current_period_start = context.now();
  item.current_period_end = endOfPeriod(item.current_period_start, item.price.recurring.interval);
  subscription.status = works ? 'active' : 'past_due';
  const invoice = writeInvoice(context, subscription, item.price.unit_amount, works ? 'paid' : 'open');
  emit(context, works ? 'invoice.paid' : 'invoice.payment_failed', invoice);
  emit(context, 'customer.subscription.updated', subscription);
}

/** Pays what is open. @returns whether anything was */
export function settle(context: SandboxContext, subscription: StripeSubscription): boolean {
  const open = invoicesOf(context, subscription.id).filter(({ status }) => status === 'open');
  for (const invoice of open) {
    Object.assign(invoice, { status: 'paid', amount_paid: invoice.total });
    invoice.status_transitions.paid_at = context.now();
    for (const payment of invoice.payments.data) {
      Object.assign(payment, { status: 'paid', amount_paid: invoice.total });
    }
    emit(context, 'invoice.paid', invoice);
  }
  if (open.length === 0) return false;
  subscription.status = 'active';
  emit(context, 'customer.subscription.updated', subscription);
  return true;
}

/** Stripe stops trying. */
export function giveUp(context: SandboxContext, subscription: StripeSubscription): void {
  subscription.status = 'unpaid';
  emit(context, 'customer.subscription.updated', subscription);
}

export function end(context: SandboxContext, subscription: StripeSubscription): void {
  const at = context.now();
  Object.assign(subscription, {
    status: 'canceled',
    ended_at: at,
    canceled_at: subscription.canceled_at ?? at,
  });
  emit(context, 'customer.subscription.deleted', subscription);
}

/** The price of the next phase, where there is a schedule; which is then over. */
function beginPhase({ state }: SandboxContext, subscription: StripeSubscription): StripePrice | undefined {
  const schedule = state.stripe.schedules[subscription.schedule ?? ''];
  if (schedule === undefined) return undefined;
  schedule.status = 'released';
  subscription.schedule = null;
  return state.stripe.prices[schedule.phases.at(-1)?.items[0]?.price ?? ''];
}

export function invoicesOf({ state }: SandboxContext, subscription: string): StripeInvoice[] {
  return Object.values(state.stripe.invoices)
    .filter(({ parent }) => parent.subscription_details.subscription === subscription)
    .reverse();
}

export function writeInvoice(
  { state, newId, now, url }: SandboxContext,
  subscription: StripeSubscription,
  total: number,
  status: 'open' | 'paid',
): StripeInvoice {
  const [item] = subscription.items.data;
  const id = newId('in_');
  const paid = status === 'paid';
  const invoice: StripeInvoice = {
    id,
    object: 'invoice',
    number: `SANDBOX-${String(Object.keys(state.stripe.invoices).length + 1).padStart(4, '0')}`,
    status,
    customer: subscription.customer,
    currency: item?.price.currency ?? 'usd',
    created: now(),
    total,
    amount_due: total,
    amount_paid: paid ? total : 0,
    hosted_invoice_url: `${url}/invoices/${id}`,
    status_transitions: { paid_at: paid ? now() : null },
    parent: { type: 'subscription_details', subscription_details: { subscription: subscription.id } },
    lines: {
      object: 'list',
      data: [
        {
          object: 'line_item',
          amount: total,
          period: { start: item?.current_period_start ?? now(), end: item?.current_period_end ?? now() },
        },
      ],
    },
    payments: { object: 'list', data: [] },
  };
  invoice.payments.data.push(paymentOf(invoice, newId));
  state.stripe.invoices[id] = invoice;
  subscription.latest_invoice = id;
  return invoice;
}

/** The one payment that Stripe makes with an invoice. */
function paymentOf(invoice: StripeInvoice, newId: SandboxContext['newId']): StripeInvoicePayment {
  const isPaid = invoice.status === 'paid';
  return {
    id: newId('inpay_'),
    object: 'invoice_payment',
    invoice: invoice.id,
    status: isPaid ? 'paid' : 'open',
    amount_requested: invoice.total,
    amount_paid: isPaid ? invoice.total : null,
    currency: invoice.currency,
    created: invoice.created,
    is_default: true,
    payment: { type: 'payment_intent', payment_intent: newId('pi_') },
  };
}
