import type { SandboxContext } from '../sandbox-context.ts';
import { refuse } from './stripe-answers.ts';
import type { StripeCharge, StripeDispute, StripeInvoice, StripeRefund } from './stripe-entities.ts';
import { emit } from './stripe-events.ts';

/** The invoice that a PaymentIntent is for. */
export function invoiceOfPayment({ state }: SandboxContext, intent: string): StripeInvoice | undefined {
  return Object.values(state.stripe.invoices).find(({ payments }) =>
    payments.data.some(({ payment }) => payment.payment_intent === intent),
  );
}

/** What a PaymentIntent charged; made when it is first asked for. `undefined` where nothing was paid. */
export function chargeOfPayment(context: SandboxContext, intent: string): StripeCharge | undefined {
  const { state, newId } = context;
  const invoice = invoiceOfPayment(context, intent);
  if (invoice?.status !== 'paid') return undefined;
  state.stripe.charges[intent] ??= {
    id: newId('ch_'),
    object: 'charge',
    payment_intent: intent,
    customer: invoice.customer,
    amount: invoice.total,
    amount_captured: invoice.total,
    amount_refunded: 0,
    currency: invoice.currency,
    captured: true,
    paid: true,
    refunded: false,
    disputed: false,
    status: 'succeeded',
    created: invoice.status_transitions.paid_at ?? invoice.created,
  };
  return state.stripe.charges[intent];
}

/** Gives money back. @throws ProviderRefusal where there is none left to give, as Stripe refuses it */
export function refundCharge(
  context: SandboxContext,
  charge: StripeCharge,
  wanted: { amount: number | undefined; reason: string | null; metadata: Record<string, string> },
): StripeRefund {
  const { state, newId, now } = context;
  const refund: StripeRefund = {
    id: newId('re_'),
    object: 'refund',
    amount: amountToRefund(context, charge, wanted.amount),
    charge: charge.id,
    payment_intent: charge.payment_intent,
    currency: charge.currency,
    status: 'succeeded',
    reason: wanted.reason,
    metadata: wanted.metadata,
    balance_transaction: null,
    receipt_number: null,
    created: now(),
  };
  state.stripe.refunds[refund.id] = refund;
  setRefunded(charge, charge.amount_refunded + refund.amount);
  emit(context, 'refund.created', refund);
  emit(context, 'charge.refunded', charge);
  emit(context, 'refund.updated', refund);
  return refund;
}

function amountToRefund(context: SandboxContext, charge: StripeCharge, wanted: number | undefined): number {
  const { id } = charge;
  if (charge.refunded) {
    throw refuse('charge', `Charge ${id} has already been refunded.`, 'charge_already_refunded');
  }
  if (disputesOf(context, charge).some(isOpenOrLost)) {
    throw refuse('charge', `Charge ${id} has been charged back; cannot issue a refund.`, 'charge_disputed');
  }
  const left = charge.amount - charge.amount_refunded;
  const amount = wanted ?? left;
  if (!Number.isInteger(amount) || amount < 1)
    throw refuse('amount', 'Invalid positive integer', 'parameter_invalid_integer');
  if (amount <= left) return amount;
  const [asked, rest] = [amount, left].map((part) => `$${(part / 100).toFixed(2)}`);
  const message = `Refund amount (${asked}) is greater than unrefunded amount on charge (${rest})`;
  throw refuse('amount', message, null);
}

/** The bank sends a refund back, days after it was made. */
export function failRefund(context: SandboxContext, charge: StripeCharge): void {
  const refund = Object.values(context.state.stripe.refunds).findLast(
    (one) => one.charge === charge.id && one.status === 'succeeded',
  );
  if (refund === undefined) return;
  Object.assign(refund, { status: 'failed', failure_reason: 'expired_or_canceled_card' });
  setRefunded(charge, charge.amount_refunded - refund.amount);
  emit(context, 'refund.failed', refund);
  emit(context, 'charge.refund.updated', refund);
}

function setRefunded(charge: StripeCharge, amount: number): void {
  Object.assign(charge, { amount_refunded: amount, refunded: amount >= charge.amount });
}

/** The payer's bank takes the money back until somebody decides. */
export function disputeCharge(context: SandboxContext, charge: StripeCharge): void {
  const { state, newId, now } = context;
  if (disputesOf(context, charge).some(isOpen)) return;
  const dispute: StripeDispute = {
    id: newId('du_'),
    object: 'dispute',
    amount: charge.amount,
    charge: charge.id,
    payment_intent: charge.payment_intent,
    currency: charge.currency,
    reason: 'fraudulent',
    status: 'needs_response',
    is_charge_refundable: false,
    metadata: {},
    balance_transactions: [],
    evidence_details: {
      due_by: now() + 7 * 86_400,
      has_evidence: false,
      past_due: false,
      submission_count: 0,
    },
    livemode: false,
    created: now(),
  };
  state.stripe.disputes[dispute.id] = dispute;
  charge.disputed = true;
  emit(context, 'charge.dispute.created', dispute);
  emit(context, 'charge.dispute.funds_withdrawn', dispute);
}

/** What becomes of the dispute that is open, if one is. */
export function decideDispute(
  context: SandboxContext,
  charge: StripeCharge,
  status: 'under_review' | 'won' | 'lost',
): void {
  const dispute = disputesOf(context, charge).find(isOpen);
  if (dispute === undefined) return;
  dispute.status = status;
  if (status === 'under_review') return emit(context, 'charge.dispute.updated', dispute);
  emit(context, 'charge.dispute.closed', dispute);
  if (status === 'won') emit(context, 'charge.dispute.funds_reinstated', dispute);
}

function disputesOf({ state }: SandboxContext, { id }: StripeCharge): StripeDispute[] {
  return Object.values(state.stripe.disputes).filter(({ charge }) => charge === id);
}

function isOpenOrLost(dispute: StripeDispute): boolean {
  return isOpen(dispute) || dispute.status === 'lost';
}

function isOpen({ status }: StripeDispute): boolean {
  return status === 'needs_response' || status === 'under_review';
}
