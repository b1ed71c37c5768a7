import { endOfPeriod, type SandboxContext } from '../sandbox-context.ts';
import type { StripePrice, StripeSession, StripeSubscription } from './stripe-entities.ts';
import { emit } from './stripe-events.ts';
import { invoicesOf, writeInvoice } from './stripe-invoices.ts';
import { applyPending, dropPending } from './stripe-pending.ts';

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
    pending_update: null,
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
  const invoice = writeInvoice(context, subscription, { total: price.unit_amount, status: 'paid' });
  emit(context, 'checkout.session.completed', session);
  emit(context, 'customer.subscription.created', subscription);
  emit(context, 'invoice.paid', invoice);
}

/** The period is over: a scheduled price begins, a cancellation takes effect, or the next one is charged. */
export function renew(context: SandboxContext, subscription: StripeSubscription, works: boolean): void {
  if (subscription.status === 'canceled') return;
  dropPending(context, subscription);
  if (subscription.cancel_at_period_end) return end(context, subscription);
  if (works && settle(context, subscription)) return;
  const [item] = subscription.items.data;
  item.price = beginPhase(context, subscription) ?? item.price;
  item.current_period_start = context.now();
  item.current_period_end = endOfPeriod(item.current_period_start, item.price.recurring.interval);
  subscription.status = works ? 'active' : 'past_due';
  const total = item.price.unit_amount;
  const invoice = writeInvoice(context, subscription, { total, status: works ? 'paid' : 'open' });
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
  applyPending(subscription);
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
