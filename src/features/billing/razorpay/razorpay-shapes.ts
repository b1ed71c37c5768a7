import { z } from 'zod';
import { readNotes } from '../checkout-notes.ts';
import { addInterval, type SeenInvoice, type SeenSubscription } from '../payment-provider.ts';
import { INTERVALS } from '../plans.model.ts';
import type { MirrorStatus } from '../subscription.model.ts';

/** Seconds since 1970; null, 0 or absent for none. */
const time = z
  .number()
  .nullish()
  .transform((seconds) => (seconds ? new Date(seconds * 1_000) : null));

/** `[]` where there are none. */
const notes = z
  .union([z.record(z.string(), z.coerce.string()), z.array(z.unknown()).transform(() => ({}))])
  .nullish()
  .transform((value): Record<string, string> => value ?? {});

const STATUS: Record<string, MirrorStatus> = {
  created: 'incomplete',
  authenticated: 'incomplete',
  active: 'active',
  resumed: 'active',
  pending: 'past_due',
  halted: 'halted',
  paused: 'halted',
  cancelled: 'cancelled',
  completed: 'cancelled',
  expired: 'expired',
};

/** The parts of Razorpay's subscription that we read. */
export const subscriptionShape = z.object({
  id: z.string(),
  plan_id: z.string(),
  status: z.string(),
  customer_id: z.string().nullish(),
  current_start: time,
  current_end: time,
  ended_at: time,
  short_url: z.string().nullish(),
  has_scheduled_changes: z.boolean().nullish(),
  notes,
});

/**
 * @param scheduledPriceId plan of the next period, which is asked for apart
 * @param now tells which of the period's ends a missing payment was due at
 */
export function seenSubscription(
  subscription: z.output<typeof subscriptionShape>,
  scheduledPriceId: string | null,
  now: Date,
): SeenSubscription {
  const { current_start: currentStart, current_end: currentEnd } = subscription;
  const status = STATUS[subscription.status] ?? 'incomplete';
  const due = currentEnd !== null && currentEnd <= now ? currentEnd : currentStart;
  return {
    id: subscription.id,
    ...readNotes(subscription.notes),
    customerId: subscription.customer_id ?? null,
    price: { priceId: subscription.plan_id },
    status,
    renews: true,
    // It does not say when it was paid first; the earliest period that was seen counts.
    boughtAt: currentStart,
    currentStart,
    currentEnd,
    cancelAtPeriodEnd: undefined,
    scheduledPriceId,
    endedAt: subscription.ended_at,
    pastDueSince: status === 'past_due' ? due : null,
    checkoutUrl: status === 'incomplete' ? (subscription.short_url ?? null) : null,
  };
}

/** The parts of Razorpay's payment link that we read. */
export const linkShape = z.object({
  id: z.string(),
  status: z.string(),
  amount: z.number(),
  currency: z.string(),
  short_url: z.string(),
  created_at: z.coerce.number(),
  updated_at: z.coerce.number().nullish(),
  payments: z
    .union([
      z.array(z.object({ payment_id: z.string(), status: z.string(), created_at: z.coerce.number() })),
      z
        .object({ payment_id: z.string(), status: z.string(), created_at: z.coerce.number() })
        .transform((one) => [one]),
    ])
    .nullish()
    .transform((payments) => payments ?? []),
  notes,
});
type Link = z.output<typeof linkShape>;

const LINK_STATUS: Record<string, MirrorStatus> = {
  paid: 'active',
  expired: 'expired',
  cancelled: 'expired',
};

/** A payment link as a subscription of one period, which begins with the payment. */
export function seenLink(link: Link): SeenSubscription {
  const interval = INTERVALS.find((known) => known === link.notes['interval']) ?? 'month';
  const { amount, currency } = link;
  const paidAt = paymentOf(link)?.at ?? null;
  return {
    id: link.id,
    ...readNotes(link.notes),
    customerId: null,
    price: { plan: link.notes['plan'] ?? '', interval, amount, currency },
    status: LINK_STATUS[link.status] ?? 'incomplete',
    renews: false,
    boughtAt: paidAt,
    currentStart: paidAt,
    currentEnd: paidAt && addInterval(paidAt, interval),
    cancelAtPeriodEnd: false,
    scheduledPriceId: null,
    endedAt: null,
    pastDueSince: null,
    checkoutUrl: link.status === 'created' ? link.short_url : null,
  };
}

function paymentOf({ payments, status, updated_at: updated, created_at: created }: Link) {
  const payment = payments.find((one) => one.status === 'captured') ?? payments[0];
  if (payment) return { id: payment.payment_id, at: new Date(payment.created_at * 1_000) };
  return status === 'paid' ? { id: null, at: new Date((updated ?? created) * 1_000) } : undefined;
}

/** The receipt of a payment link that was paid; nothing before. */
export function invoiceOfLink(link: Link): SeenInvoice[] {
  const payment = paymentOf(link);
  if (link.status !== 'paid' || payment === undefined) return [];
  const { currentEnd } = seenLink(link);
  return [
    {
      id: link.id,
      number: link.id.replace(/^plink_/, 'PL-'),
      status: 'paid',
      amount: link.amount,
      currency: link.currency,
      paymentId: payment.id,
      periodStart: payment.at,
      periodEnd: currentEnd,
      issuedAt: payment.at,
      paidAt: payment.at,
      url: link.short_url,
    },
  ];
}

const INVOICE_STATUS: Record<string, SeenInvoice['status']> = {
  paid: 'paid',
  cancelled: 'void',
  deleted: 'void',
  expired: 'failed',
};

/** The parts of Razorpay's invoice that we read. */
export const invoiceShape = z
  .object({
    id: z.string(),
    invoice_number: z.string().nullish(),
    receipt: z.string().nullish(),
    status: z.string().nullish(),
    amount: z.number(),
    currency: z.string(),
    payment_id: z.string().nullish(),
    billing_start: time,
    billing_end: time,
    issued_at: time,
    paid_at: time,
    created_at: z.number(),
    short_url: z.string().nullish(),
  })
  .transform(
    (invoice): SeenInvoice => ({
      id: invoice.id,
      number: invoice.invoice_number ?? invoice.receipt ?? invoice.id.replace(/^inv_/, 'INV-'),
      status: INVOICE_STATUS[invoice.status ?? ''] ?? 'open',
      amount: invoice.amount,
      currency: invoice.currency,
      paymentId: invoice.payment_id ?? null,
      periodStart: invoice.billing_start,
      periodEnd: invoice.billing_end,
      issuedAt: invoice.issued_at ?? new Date(invoice.created_at * 1_000),
      paidAt: invoice.paid_at,
      url: invoice.short_url ?? null,
    }),
  );

/** A page of a list. */
export function collectionOf<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item) });
}
