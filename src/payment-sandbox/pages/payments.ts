import * as razorpay from '../razorpay/razorpay-returns.ts';
import {
  type Answer,
  type Call,
  ProviderRefusal,
  type SandboxContext,
  type SandboxRoute,
  textOf,
} from '../sandbox-context.ts';
import * as stripe from '../stripe/stripe-returns.ts';
import { button, escapeHtml, money } from './page.ts';

/** What merchants and banks do to payments that were made. */
export const paymentRoutes: readonly SandboxRoute[] = [
  { method: 'POST', path: '/payments/stripe/:id', handle: actOnStripe },
  { method: 'POST', path: '/payments/razorpay/:id', handle: actOnRazorpay },
];

interface Line {
  provider: 'stripe' | 'razorpay';
  /** Of the payment. */
  id: string;
  number: string;
  amount: number;
  refunded: number;
  currency: string;
  /** Where its last dispute stands. */
  dispute: string | undefined;
}

/** All payments as a table, newest first; '' while there is none. */
export function paymentsTable(context: SandboxContext): string {
  const rows = [...stripeLines(context), ...razorpayLines(context)].map((line) => {
    const { provider, id, number, amount, refunded, currency, dispute } = line;
    const gone = refunded === 0 ? '' : `, ${money(refunded, currency)} refunded`;
    const state = dispute === undefined ? '' : `dispute: ${dispute.replace('_', ' ')}`;
    return `<tr><td>${provider === 'stripe' ? 'Stripe' : 'Razorpay'}<br><span class="muted">${escapeHtml(id)}</span></td>
<td>${escapeHtml(number)}</td><td>${money(amount, currency)}${gone}<br><span class="muted">${escapeHtml(state)}</span></td>
<td>${buttons(line)}</td></tr>`;
  });
  if (rows.length === 0) return '';
  return `<h2>Payments</h2><div class="scroll"><table><thead><tr><th>Payment</th><th>Invoice</th><th>Amount</th><th>Let it happen</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
}

const OPEN = ['needs_response', 'open', 'under_review'];

function buttons({ provider, id, amount, refunded, dispute = '' }: Line): string {
  const left = refunded < amount && dispute !== 'lost';
  const actions = OPEN.includes(dispute)
    ? [
        dispute !== 'under_review' && ['review', 'Answer the dispute'],
        ['win', 'Win the dispute'],
        ['lose', 'Lose the dispute'],
      ]
    : [left && ['refund', 'Refund'], left && ['refund_half', 'Refund half'], left && ['dispute', 'Dispute']];
  return [...actions, refunded > 0 && ['fail_refund', 'Refund fails']]
    .flatMap((one) => (one === false ? [] : [one]))
    .map(([name = '', label = '']) => button(`/payments/${provider}/${id}`, name, label))
    .join('');
}

function stripeLines({ state: { stripe: state } }: SandboxContext): Line[] {
  const paid = Object.values(state.invoices).filter(({ status, total }) => status === 'paid' && total > 0);
  return paid.toReversed().flatMap(({ number, total: amount, currency, payments }) => {
    const id = payments.data[0]?.payment.payment_intent;
    if (id === undefined) return [];
    const refunded = state.charges[id]?.amount_refunded ?? 0;
    const dispute = Object.values(state.disputes).findLast((one) => one.payment_intent === id)?.status;
    return [{ provider: 'stripe', id, number, amount, refunded, currency: currency.toUpperCase(), dispute }];
  });
}

function razorpayLines({ state: { razorpay: state } }: SandboxContext): Line[] {
  const ofInvoices = Object.values(state.invoices).map((one) => ({ ...one, payment: one.payment_id }));
  const ofLinks = Object.values(state.links).map((one) => ({
    ...one,
    payment: one.payments?.[0]?.payment_id,
  }));
  return [...ofInvoices, ...ofLinks].toReversed().flatMap(({ payment: id, id: number, amount, currency }) => {
    if (!id) return [];
    const refunded = state.payments[id]?.amount_refunded ?? 0;
    const dispute = Object.values(state.disputes).findLast((one) => one.payment_id === id)?.status;
    return [{ provider: 'razorpay', id, number, amount, refunded, currency, dispute }];
  });
}

const noSuch = () => new ProviderRefusal(404, { error: { message: 'no such payment' } });

function actOnStripe(context: SandboxContext, { params, body }: Call): Answer {
  const charge = stripe.chargeOfPayment(context, params['id'] ?? '');
  if (charge === undefined) throw noSuch();
  const refund = (amount?: number) =>
    stripe.refundCharge(context, charge, { amount, reason: 'requested_by_customer', metadata: {} });
  act(textOf(body['action']), {
    refund: () => refund(),
    refund_half: () => refund(half(charge)),
    fail_refund: () => stripe.failRefund(context, charge),
    dispute: () => stripe.disputeCharge(context, charge),
    review: () => stripe.decideDispute(context, charge, 'under_review'),
    win: () => stripe.decideDispute(context, charge, 'won'),
    lose: () => stripe.decideDispute(context, charge, 'lost'),
  });
  context.changed();
  return { status: 303, location: '/' };
}

function actOnRazorpay(context: SandboxContext, { params, body }: Call): Answer {
  const payment = razorpay.paymentOf(context, params['id'] ?? '');
  if (payment === undefined) throw noSuch();
  const refund = (amount?: number) =>
    razorpay.refundPayment(context, payment, { amount, notes: [], receipt: null });
  act(textOf(body['action']), {
    refund: () => refund(),
    refund_half: () => refund(half(payment)),
    fail_refund: () => razorpay.failRefund(context, payment),
    dispute: () => razorpay.disputePayment(context, payment),
    review: () => razorpay.decideDispute(context, payment, 'under_review'),
    win: () => razorpay.decideDispute(context, payment, 'won'),
    lose: () => razorpay.decideDispute(context, payment, 'lost'),
    close: () => razorpay.decideDispute(context, payment, 'closed'),
  });
  context.changed();
  return { status: 303, location: '/' };
}

/** Of what was paid, or what is left of it. */
function half({ amount, amount_refunded: refunded }: { amount: number; amount_refunded: number }): number {
  return Math.min(Math.ceil(amount / 2), amount - refunded);
}

function act(name: string, actions: Record<string, () => unknown>): void {
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
  if (action === undefined) throw new ProviderRefusal(400, { error: { message: 'no such action' } });
  action();
}
