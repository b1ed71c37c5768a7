import type { SandboxContext } from '../sandbox-context.ts';
import { amountOf, refuse } from './razorpay-answers.ts';
import type { Notes, RazorpayDispute, RazorpayPayment, RazorpayRefund } from './razorpay-entities.ts';
import { emit } from './razorpay-life.ts';

/** A payment of an invoice or a link; made when it is first asked for. `undefined` for an id that is not known. */
export function paymentOf(context: SandboxContext, id: string): RazorpayPayment | undefined {
  const { payments } = context.state.razorpay;
  const source = payments[id] ? undefined : sourceOf(context, id);
  if (source) {
    payments[id] = {
      id,
      entity: 'payment',
      amount: source.amount,
      currency: source.currency,
      status: 'captured',
      order_id: null,
      invoice_id: source.invoiceId,
      international: false,
      method: 'card',
      amount_refunded: 0,
      refund_status: null,
      captured: '1',
      notes: [],
      created_at: source.paidAt,
    };
  }
  return payments[id];
}

/** What was paid. */
function sourceOf({ state }: SandboxContext, id: string) {
  const { invoices, links } = state.razorpay;
  const invoice = Object.values(invoices).find((one) => one.payment_id === id);
  if (invoice) {
    const { amount, currency, paid_at: at, created_at: created } = invoice;
    return { amount, currency, invoiceId: invoice.id, paidAt: at ?? created };
  }
  const link = Object.values(links).find(({ payments }) => payments?.some((one) => one.payment_id === id));
  return link && { amount: link.amount, currency: link.currency, invoiceId: null, paidAt: link.updated_at };
}

/** Gives money back. @throws ProviderRefusal where there is none left to give, as Razorpay refuses it */
export function refundPayment(
  context: SandboxContext,
  payment: RazorpayPayment,
  wanted: { amount: unknown; notes: Notes; receipt: string | null },
): RazorpayRefund {
  const { state, newId, now } = context;
  if (payment.refund_status === 'full') throw refuse('The payment has been fully refunded already');
  const left = payment.amount - payment.amount_refunded;
  const amount = wanted.amount === undefined ? left : amountOf(wanted.amount);
  if (amount > left) throw refuse('The refund amount provided is greater than amount captured', 'amount');
  const { id, currency } = payment;
  const { notes, receipt } = wanted;
  const refund: RazorpayRefund = {
    id: newId('rfnd_'),
    entity: 'refund',
    amount,
    currency,
    payment_id: id,
    notes,
    receipt,
    acquirer_data: { arn: null },
    created_at: now(),
    batch_id: null,
    status: 'pending',
    speed_processed: 'normal',
    speed_requested: 'normal',
  };
  state.razorpay.refunds[refund.id] = refund;
  setRefunded(payment, payment.amount_refunded + amount);
  emit(context, 'refund.created', { refund, payment });
  refund.status = 'processed';
  emit(context, 'refund.processed', { refund, payment });
  return refund;
}

/** The bank sends a refund back, days after it was made. */
export function failRefund(context: SandboxContext, payment: RazorpayPayment): void {
  const refund = Object.values(context.state.razorpay.refunds).findLast(
    (one) => one.payment_id === payment.id && one.status === 'processed',
  );
  if (refund === undefined) return;
  refund.status = 'failed';
  setRefunded(payment, payment.amount_refunded - refund.amount);
  emit(context, 'refund.failed', { refund, payment });
}

function setRefunded(payment: RazorpayPayment, amount: number): void {
  const isFull = amount >= payment.amount;
  Object.assign(payment, {
    amount_refunded: amount,
    refund_status: isFull ? 'full' : amount > 0 ? 'partial' : null,
    status: isFull ? 'refunded' : 'captured',
  });
}

/** The payer's bank asks for the money. */
export function disputePayment(context: SandboxContext, payment: RazorpayPayment): void {
  const { state, newId, now } = context;
  if (openDispute(context, payment)) return;
  const dispute: RazorpayDispute = {
    id: newId('disp_'),
    entity: 'dispute',
    payment_id: payment.id,
    amount: payment.amount,
    currency: payment.currency,
    amount_deducted: 0,
    reason_code: 'chargeback',
    respond_by: now() + 7 * 86_400,
    status: 'open',
    phase: 'chargeback',
    created_at: now(),
  };
  state.razorpay.disputes[dispute.id] = dispute;
  emit(context, 'payment.dispute.created', { payment, dispute });
}

/** What becomes of the dispute that is open, if one is. */
export function decideDispute(
  context: SandboxContext,
  payment: RazorpayPayment,
  status: 'under_review' | 'won' | 'lost' | 'closed',
): void {
  const dispute = openDispute(context, payment);
  if (dispute === undefined) return;
  Object.assign(dispute, { status, amount_deducted: status === 'lost' ? dispute.amount : 0 });
  emit(context, `payment.dispute.${status}`, { payment, dispute });
}

function openDispute({ state }: SandboxContext, { id }: RazorpayPayment): RazorpayDispute | undefined {
  return Object.values(state.razorpay.disputes).find(
    ({ payment_id: payment, status }) => payment === id && (status === 'open' || status === 'under_review'),
  );
}
