import { endOfPeriod, type SandboxContext } from '../sandbox-context.ts';
import { found, refusePayment } from './razorpay-answers.ts';
import type { RazorpayPlan, RazorpaySubscription } from './razorpay-entities.ts';
import { bill, intervalOf, planOf } from './razorpay-life.ts';
import { paymentOf, refundPayment } from './razorpay-returns.ts';

/**
 * Another plan at once: the difference is charged or refunded. Another frequency begins a cycle on the day of the change.
 * Where the charge fails the subscription stays as it is. Source: https://razorpay.com/docs/payments/subscriptions/update/
 * @throws ProviderRefusal
 */
export function changePlan(
  context: SandboxContext,
  subscription: RazorpaySubscription,
  planId: string,
): void {
  const { state, now } = context;
  const plan = found(state.razorpay.plans, planId);
  const before = planOf(context, subscription);
  const restarts = plan.period !== before.period;
  const due = dueFor(context, subscription, { before, plan, restarts });
  if (due > 0 && takeDecline(context, subscription)) throw refusePayment();
  delete state.razorpay.atCycleEnd[subscription.id];
  const end = endOfPeriod(now(), intervalOf(plan));
  Object.assign(subscription, {
    plan_id: planId,
    has_scheduled_changes: false,
    change_scheduled_at: null,
    ...(restarts && { current_start: now(), current_end: end, charge_at: end }),
  });
  if (due > 0) bill(context, subscription, context.newId('pay_'), due);
  if (due < 0) refund(context, subscription, -due);
}

/** In paise; less than zero is to be refunded. */
function dueFor(
  { now }: SandboxContext,
  { current_start: start, current_end: end }: RazorpaySubscription,
  { before, plan, restarts }: { before: RazorpayPlan; plan: RazorpayPlan; restarts: boolean },
): number {
  if (start === null || end === null) return 0;
  const left = Math.max(0, end - now()) / (end - start);
  const remaining = before.item.amount * left;
  return Math.round(restarts ? plan.item.amount - remaining : plan.item.amount * left - remaining);
}

function takeDecline({ state }: SandboxContext, { id }: RazorpaySubscription): boolean {
  const isDeclined = state.razorpay.declineNext[id] === true;
  delete state.razorpay.declineNext[id];
  return isDeclined;
}

/** From the payments that were made last. */
function refund(context: SandboxContext, { id }: RazorpaySubscription, amount: number): void {
  const invoices = Object.values(context.state.razorpay.invoices).filter((one) => one.subscription_id === id);
  let left = amount;
  for (const { payment_id: paymentId } of invoices.toReversed()) {
    const payment = paymentOf(context, paymentId ?? '');
    const part = Math.min(left, payment ? payment.amount - payment.amount_refunded : 0);
    // A rupee is the least that can be refunded.
    if (payment === undefined || part < 100) continue;
    refundPayment(context, payment, { amount: part, notes: [], receipt: null });
    left -= part;
  }
}
