import type { SandboxContext } from '../sandbox-context.ts';
import type { StripeInvoice, StripeInvoicePayment, StripeSubscription } from './stripe-entities.ts';

/** Newest first. */
export function invoicesOf({ state }: SandboxContext, subscription: string): StripeInvoice[] {
  return Object.values(state.stripe.invoices)
    .filter(({ parent }) => parent.subscription_details.subscription === subscription)
    .reverse();
}

interface Billed {
  /** Minor units; less than zero is a credit. */
  total: number;
  status: 'open' | 'paid';
  /** The one that runs, where it is not given. */
  period?: { start: number; end: number };
}

export function writeInvoice(
  { state, newId, now, url }: SandboxContext,
  subscription: StripeSubscription,
  { total, status, period = periodOf(subscription) }: Billed,
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
    currency: item.price.currency,
    created: now(),
    total,
    amount_due: Math.max(0, total),
    amount_paid: paid ? Math.max(0, total) : 0,
    hosted_invoice_url: `${url}/invoices/${id}`,
    status_transitions: { paid_at: paid ? now() : null },
    parent: { type: 'subscription_details', subscription_details: { subscription: subscription.id } },
    lines: {
      object: 'list',
      data: [
        {
          object: 'line_item',
          amount: total,
          period,
        },
      ],
    },
    payments: { object: 'list', data: [] },
  };
  // A credit is no payment.
  if (total > 0) invoice.payments.data.push(paymentOf(invoice, newId));
  state.stripe.invoices[id] = invoice;
  subscription.latest_invoice = id;
  return invoice;
}

function periodOf({ items }: StripeSubscription): { start: number; end: number } {
  const [{ current_period_start: start, current_period_end: end }] = items.data;
  return { start, end };
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
