import type Stripe from 'stripe';
import type { ListedReturn, PaymentProvider, SeenDispute } from '../payment-provider.ts';
import type { DisputeStatus } from '../refunds.model.ts';
import { asBillingError, isMissing } from './stripe-errors.ts';
import { idOf, seenInvoice, time } from './stripe-views.ts';

type ReturnCalls = Pick<
  PaymentProvider,
  'fetchPayment' | 'fetchDispute' | 'findInvoice' | 'listRefundsSince' | 'listDisputesSince'
>;

const PAGE = 100;

/**
 * Refunds and disputes at Stripe. A payment is a PaymentIntent: since API version 2025-03-31 neither it nor its charge
 * names the invoice, which invoice payments do. Source: https://docs.stripe.com/api/invoice-payment
 */
export function stripeReturns(stripe: Stripe): ReturnCalls {
  return {
    fetchPayment: (id) => fetchPayment(stripe, id).catch(asBillingError),

    async fetchDispute(id) {
      const found = await stripe.disputes.retrieve(id).catch(isMissing).catch(asBillingError);
      return found && seenDispute(found);
    },

    findInvoice: (paymentId) => findInvoice(stripe, paymentId).catch(asBillingError),

    async *listRefundsSince(since) {
      yield* listed(stripe.refunds.list({ created: from(since), limit: PAGE }), () => null);
    },

    async *listDisputesSince(since) {
      yield* listed(stripe.disputes.list({ created: from(since), limit: PAGE }), ({ id }) => id);
    },
  };
}

/** Refunds that did not reach the payer count for nothing, whether or not the charge's total has them still. */
async function fetchPayment(stripe: Stripe, id: string) {
  const payment = await stripe.paymentIntents.retrieve(id).catch(isMissing);
  if (payment === undefined || payment.amount_received === 0) return undefined;
  let amountRefunded = 0;
  for await (const { status, amount } of stripe.refunds.list({ payment_intent: id, limit: PAGE })) {
    if (status !== 'failed' && status !== 'canceled') amountRefunded += amount;
  }
  return { amount: payment.amount_received, amountRefunded };
}

async function findInvoice(stripe: Stripe, paymentId: string) {
  const payments = await stripe.invoicePayments
    .list({
      payment: { type: 'payment_intent', payment_intent: paymentId },
      expand: ['data.invoice'],
      limit: PAGE,
    })
    .catch(isMissing);
  for (const { invoice } of payments?.data ?? []) {
    if (typeof invoice === 'string' || invoice.deleted === true) continue;
    const subscriptionId = idOf(invoice.parent?.subscription_details?.subscription);
    if (subscriptionId !== null) return { subscriptionId, invoice: { ...seenInvoice(invoice), paymentId } };
  }
  return undefined;
}

/** An early warning is a dispute as well; a status of a later API version is one that is not decided. */
const DISPUTE_STATUS: Record<string, DisputeStatus> = {
  warning_needs_response: 'open',
  warning_under_review: 'under_review',
  warning_closed: 'closed',
  prevented: 'closed',
  needs_response: 'open',
  under_review: 'under_review',
  appeal_needs_response: 'open',
  appeal_under_review: 'under_review',
  won: 'won',
  lost: 'lost',
};

function seenDispute({ id, status, amount, reason, created, payment_intent }: Stripe.Dispute): SeenDispute {
  return {
    id,
    paymentId: idOf(payment_intent) ?? '',
    status: DISPUTE_STATUS[status] ?? 'open',
    amount,
    reason,
    openedAt: time(created),
  };
}

function from(since: Date) {
  return { gte: Math.floor(since.getTime() / 1_000) };
}

type Return = Stripe.Refund | Stripe.Dispute;

/** Those of other kinds of payment are left out. */
async function* listed<T extends Return>(
  all: AsyncIterable<T>,
  disputeIdOf: (one: T) => string | null,
): AsyncIterable<ListedReturn> {
  try {
    for await (const one of all) {
      const paymentId = idOf(one.payment_intent);
      if (paymentId !== null) yield { paymentId, disputeId: disputeIdOf(one), at: time(one.created) };
    }
  } catch (error) {
    asBillingError(error);
  }
}
