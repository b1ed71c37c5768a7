import type Stripe from 'stripe';
import { readNotes } from '../checkout-notes.ts';
import type { SeenInvoice, SeenSubscription } from '../payment-provider.ts';
import type { MirrorStatus } from '../subscription.model.ts';

const STATUS: Record<string, MirrorStatus> = {
  incomplete: 'incomplete',
  incomplete_expired: 'expired',
  trialing: 'active',
  active: 'active',
  past_due: 'past_due',
  unpaid: 'halted',
  paused: 'halted',
  canceled: 'cancelled',
};

/** Periods are on the items since API version 2025-03-31. */
export function seenSubscription(subscription: Stripe.Subscription): SeenSubscription {
  const [item] = subscription.items.data;
  // A status of a later API version gives nothing.
  const status = STATUS[subscription.status] ?? 'incomplete';
  const currentStart = item ? time(item.current_period_start) : null;
  return {
    id: subscription.id,
    ...readNotes(subscription.metadata),
    customerId: typeof subscription.customer === 'string' ? subscription.customer : subscription.customer.id,
    price: { priceId: item?.price.id ?? '' },
    status,
    renews: true,
    boughtAt: status === 'incomplete' ? null : time(subscription.start_date),
    currentStart,
    currentEnd: item ? time(item.current_period_end) : null,
    cancelAtPeriodEnd: subscription.cancel_at_period_end || subscription.cancel_at !== null,
    scheduledPriceId: scheduledPrice(subscription.schedule, item?.price.id),
    endedAt: subscription.ended_at === null ? null : time(subscription.ended_at),
    // The period that is not paid has begun.
    pastDueSince: status === 'past_due' ? currentStart : null,
    checkoutUrl: null,
  };
}

/** The price of the phase that comes after the one that runs. */
export function scheduledPrice(
  schedule: Stripe.Subscription['schedule'],
  current: string | undefined,
): string | null {
  if (schedule === null || typeof schedule === 'string' || schedule.status !== 'active') return null;
  const runs = schedule.current_phase?.end_date;
  const next = schedule.phases.find(({ start_date: start }) => runs !== undefined && start >= runs);
  const price = next?.items[0]?.price;
  const id = typeof price === 'string' ? price : price?.id;
  return id === undefined || id === current ? null : id;
}

const INVOICE_STATUS: Record<string, SeenInvoice['status']> = {
  draft: 'open',
  open: 'open',
  paid: 'paid',
  uncollectible: 'failed',
  void: 'void',
};

export function seenInvoice(invoice: Stripe.Invoice): SeenInvoice {
  const [line] = invoice.lines.data;
  const paidAt = invoice.status_transitions.paid_at;
  return {
    id: invoice.id ?? '',
    number: invoice.number ?? invoice.id ?? '',
    status: INVOICE_STATUS[invoice.status ?? 'open'] ?? 'open',
    amount: invoice.total,
    currency: invoice.currency.toUpperCase(),
    paymentId: paymentOf(invoice),
    periodStart: line ? time(line.period.start) : null,
    periodEnd: line ? time(line.period.end) : null,
    issuedAt: time(invoice.created),
    paidAt: typeof paidAt === 'number' ? time(paidAt) : null,
    url: invoice.hosted_invoice_url ?? null,
  };
}

/** The payment that went through; before one has, the one that is tried. */
export function paymentOf({ payments }: Stripe.Invoice): string | null {
  const paid = payments?.data.find(({ status }) => status === 'paid') ?? payments?.data[0];
  return idOf(paid?.payment.payment_intent);
}

/** Of an object that may be there in full. */
export function idOf(reference: string | { id: string } | null | undefined): string | null {
  return (typeof reference === 'string' ? reference : reference?.id) ?? null;
}

/** Stripe counts in seconds. */
export function time(seconds: number): Date {
  return new Date(seconds * 1_000);
}
