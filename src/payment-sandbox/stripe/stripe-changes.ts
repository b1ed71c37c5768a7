import { endOfPeriod, type SandboxContext } from '../sandbox-context.ts';
import { CARD_DECLINED, found, refuseCard } from './stripe-answers.ts';
import type { StripePrice, StripeSubscription } from './stripe-entities.ts';
import { emit } from './stripe-events.ts';
import { writeInvoice } from './stripe-invoices.ts';
import { applyChange, type Change, dropPending, keepPending } from './stripe-pending.ts';

/** Another price at once, as `proration_behavior=always_invoice` has it paid. */
export function changePrice(
  context: SandboxContext,
  subscription: StripeSubscription,
  priceId: string,
  paymentBehavior: string,
): void {
  const price = found(context.state.stripe.prices, priceId, 'price');
  dropPending(context, subscription);
  const change = changeTo(context, subscription, price);
  const isDeclined = change.due > 0 && takeDecline(context, subscription);
  if (isDeclined && paymentBehavior === 'error_if_incomplete') throw refuseCard(CARD_DECLINED);
  const { due: total, period } = change;
  const status = isDeclined ? 'open' : 'paid';
  const invoice = writeInvoice(context, subscription, { total, status, period });
  if (isDeclined && paymentBehavior === 'pending_if_incomplete') keepPending(context, subscription, change);
  else applyChange(subscription, change);
  // Stripe's own default: the new price, and a debt.
  if (isDeclined && subscription.pending_update === null) subscription.status = 'past_due';
  emit(context, isDeclined ? 'invoice.payment_failed' : 'invoice.paid', invoice);
}

/** Within an interval the difference of what is left; another interval begins a period, less what is left of this one. */
function changeTo({ now }: SandboxContext, { items }: StripeSubscription, price: StripePrice): Change {
  const [item] = items.data;
  const { current_period_start: start, current_period_end: end } = item;
  const left = Math.max(0, end - now()) / (end - start);
  if (price.recurring.interval === item.price.recurring.interval) {
    const due = Math.round((price.unit_amount - item.price.unit_amount) * left);
    return { price, due, period: { start, end } };
  }
  const due = price.unit_amount - Math.round(item.price.unit_amount * left);
  return { price, due, period: { start: now(), end: endOfPeriod(now(), price.recurring.interval) } };
}

/** Whether the next charge is to be declined; which it then has been. */
function takeDecline({ state }: SandboxContext, { id }: StripeSubscription): boolean {
  const isDeclined = state.stripe.declineNext[id] === true;
  delete state.stripe.declineNext[id];
  return isDeclined;
}
