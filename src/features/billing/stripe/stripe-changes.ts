import type Stripe from 'stripe';
import { billingErrors } from '../billing.errors.ts';
import type { When } from '../payment-provider.ts';
import { isRefusal, paymentDeclined } from './stripe-errors.ts';
import { idOf, paymentOf, scheduledPrice, time } from './stripe-views.ts';

/** Now, once the difference is paid; or with the next period, by a schedule. @throws billing.payment_declined */
export async function changePrice(stripe: Stripe, id: string, price: string, when: When): Promise<void> {
  const subscription = await stripe.subscriptions.retrieve(id, { expand: ['schedule'] });
  if (when === 'period_end') return schedulePrice(stripe, subscription, price);
  const schedule = idOf(subscription.schedule);
  const waiting = scheduledPrice(subscription.schedule, itemOf(subscription).price.id);
  if (schedule !== null) await stripe.subscriptionSchedules.release(schedule);
  if (waiting === null) return swapOncePaid(stripe, subscription, price);
  try {
    await swap(stripe, subscription, price, 'error_if_incomplete');
  } catch (error) {
    // A refusal leaves everything as it was, what waits for the next period too.
    if (isRefusal(error)) await schedulePrice(stripe, { ...subscription, schedule: null }, waiting);
    throw error;
  }
}

/**
 * Stripe's own default would swap the price and be owed the difference. Pending updates swap it only once the invoice is
 * paid, which may need the payer: https://docs.stripe.com/billing/subscriptions/pending-updates
 */
async function swapOncePaid(stripe: Stripe, subscription: Stripe.Subscription, price: string): Promise<void> {
  const changed = await swap(stripe, subscription, price, 'pending_if_incomplete');
  const { pending_update: pending, latest_invoice: latest } = changed;
  if (!pending) return;
  const reason = await reasonOf(stripe, idOf(latest));
  const until = time(pending.expires_at).toISOString();
  throw paymentDeclined(reason, `or pay the open invoice of GET /v1/billing/invoices before ${until}`);
}

function swap(
  stripe: Stripe,
  subscription: Stripe.Subscription,
  price: string,
  paymentBehavior: 'pending_if_incomplete' | 'error_if_incomplete',
): Promise<Stripe.Subscription> {
  return stripe.subscriptions.update(subscription.id, {
    items: [{ id: itemOf(subscription).id, price }],
    proration_behavior: 'always_invoice',
    payment_behavior: paymentBehavior,
    cancel_at_period_end: false,
  });
}

/** Why an invoice is not paid, in Stripe's words where it has some. */
async function reasonOf(stripe: Stripe, invoiceId: string | null): Promise<string> {
  const invoice = invoiceId && (await stripe.invoices.retrieve(invoiceId, { expand: ['payments'] }));
  const paymentId = invoice ? paymentOf(invoice) : null;
  const payment = paymentId === null ? undefined : await stripe.paymentIntents.retrieve(paymentId);
  return payment?.last_payment_error?.message ?? 'The bank asks the payer to confirm the payment.';
}

async function schedulePrice(
  stripe: Stripe,
  subscription: Stripe.Subscription,
  price: string,
): Promise<void> {
  const item = itemOf(subscription);
  const { current_period_start: start, current_period_end: end } = item;
  const schedule =
    idOf(subscription.schedule) ??
    (await stripe.subscriptionSchedules.create({ from_subscription: subscription.id })).id;
  await stripe.subscriptionSchedules.update(schedule, {
    end_behavior: 'release',
    phases: [
      { items: [{ price: item.price.id, quantity: 1 }], start_date: start, end_date: end },
      { items: [{ price, quantity: 1 }], start_date: end, proration_behavior: 'none' },
    ],
  });
}

function itemOf({ items }: Stripe.Subscription): Stripe.SubscriptionItem {
  const [item] = items.data;
  if (item === undefined) throw billingErrors.providerRefused({ detail: 'The subscription has no item.' });
  return item;
}

export async function cancel(stripe: Stripe, id: string, when: When): Promise<void> {
  const schedule = idOf((await stripe.subscriptions.retrieve(id)).schedule);
  if (schedule !== null) await stripe.subscriptionSchedules.release(schedule);
  if (when === 'now') await stripe.subscriptions.cancel(id);
  else await stripe.subscriptions.update(id, { cancel_at_period_end: true });
}
