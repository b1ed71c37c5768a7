import type Razorpay from 'razorpay';
import type { Clock } from '../../../lib/clock.ts';
import { billingErrors } from '../billing.errors.ts';
import { writeNotes } from '../checkout-notes.ts';
import { merchantOf } from '../merchant.ts';
import type {
  CheckoutInput,
  PaymentProvider,
  SeenInvoice,
  SeenSubscription,
  StartedCheckout,
} from '../payment-provider.ts';
import type { PlanPrice } from '../plans.model.ts';
import { asBillingError, isMissing, openRazorpay, type RazorpayAccess } from './razorpay-client.ts';
import { razorpayReturns } from './razorpay-returns.ts';
import * as shapes from './razorpay-shapes.ts';
import { isCheckoutProof, readRazorpayWebhook } from './razorpay-signature.ts';

export interface RazorpayConfig extends RazorpayAccess {
  /** Current secret first; those before it are still accepted: Razorpay retries with the secret of the time. */
  webhookSecrets: readonly string[];
  clock: Pick<Clock, 'now'>;
}

/** A subscription must say how often it is charged: ten years. */
const CHARGES = { month: 120, year: 10 } as const;
const PAGE = 100;
/** A page to pay on is open for a day. */
const OPEN_FOR_S = 86_400;

/** Razorpay: subscriptions with a mandate, and payment links for one period. Source: https://razorpay.com/docs/api/ */
export function createRazorpayProvider(config: RazorpayConfig): PaymentProvider {
  const { keyId, keySecret, clock } = config;
  const razorpay = openRazorpay(config);
  const call = <T>(work: Promise<T>): Promise<T> => work.catch(asBillingError);
  const isLink = (id: string) => id.startsWith('plink_');
  const fetchLink = async (id: string) =>
    call(razorpay.paymentLink.fetch(id).then((link) => shapes.linkShape.parse(link), isMissing));

  return {
    name: 'razorpay',
    merchant: merchantOf(config.apiUrl ?? 'https://api.razorpay.com', keyId),
    currency: 'INR',
    keyId,

    createPrice: (price, planName) => call(createPlan(razorpay, price, planName)),

    startCheckout(input) {
      const expireBy = Math.floor(clock.now().getTime() / 1_000) + OPEN_FOR_S;
      return call(input.renews ? subscribe(razorpay, input, expireBy) : makeLink(razorpay, input, expireBy));
    },

    async fetchSubscription(id) {
      if (!isLink(id)) return call(fetchSubscription(razorpay, id, clock.now()));
      const link = await fetchLink(id);
      return link && shapes.seenLink(link);
    },

    async listInvoices(id) {
      if (!isLink(id)) return call(listInvoices(razorpay, id));
      const link = await fetchLink(id);
      return link ? shapes.invoiceOfLink(link) : [];
    },

    async changePrice(id, priceId, when) {
      refuseLink(isLink(id));
      const at = when === 'now' ? 'now' : 'cycle_end';
      await call(razorpay.subscriptions.update(id, { plan_id: priceId, schedule_change_at: at }));
    },

    async cancel(id, when) {
      refuseLink(isLink(id));
      await call(razorpay.subscriptions.cancel(id, when === 'period_end'));
    },

    async resume(id) {
      const seen = await call(fetchSubscription(razorpay, id, clock.now()));
      // A cancellation at the end of the cycle stands.
      if (seen?.status !== 'halted') throw billingErrors.cannotResume();
      await call(razorpay.subscriptions.resume(id, { resume_at: 'now' }));
    },

    manageUrl: ({ subscriptionId }) => call(manageUrl(razorpay, subscriptionId)),

    listSubscriptionsSince: (since) => listSince(razorpay, since),
    ...razorpayReturns(razorpay),
    readWebhook: (input) => readRazorpayWebhook(config.webhookSecrets, input),
    isProof: (proof) => isCheckoutProof(proof, keySecret),
  };
}

async function manageUrl(razorpay: Razorpay, subscriptionId: string): Promise<string> {
  const found = shapes.subscriptionShape.parse(await razorpay.subscriptions.fetch(subscriptionId));
  if (!found.short_url) throw billingErrors.providerRefused({ detail: 'Razorpay has no page for it.' });
  return found.short_url;
}

async function listInvoices(razorpay: Razorpay, subscriptionId: string): Promise<SeenInvoice[]> {
  const page = await razorpay.invoices.all({ subscription_id: subscriptionId, count: PAGE });
  return shapes.collectionOf(shapes.invoiceShape).parse(page).items;
}

function refuseLink(isLink: boolean): void {
  if (isLink) throw billingErrors.providerRefused({ detail: 'What was paid once does not renew.' });
}

const PERIOD = { month: 'monthly', year: 'yearly' } as const;

/** Razorpay keeps every plan for ever and finds none by name; that one is made once is up to our table of prices. */
async function createPlan(razorpay: Razorpay, price: PlanPrice, planName: string): Promise<string> {
  const { plan, interval, amount, currency } = price;
  const created = await razorpay.plans.create({
    period: PERIOD[interval],
    interval: 1,
    item: { name: `Pingr ${planName}`, amount, currency },
    notes: { plan },
  });
  return created.id;
}

async function subscribe(
  razorpay: Razorpay,
  input: CheckoutInput,
  expireBy: number,
): Promise<StartedCheckout> {
  const { price, priceId } = input;
  const made = shapes.subscriptionShape.parse(
    await razorpay.subscriptions.create({
      plan_id: priceId,
      total_count: CHARGES[price.interval],
      quantity: 1,
      customer_notify: 1,
      expire_by: expireBy,
      notes: writeNotes(input),
    }),
  );
  return { url: made.short_url ?? '', subscriptionId: made.id };
}

async function makeLink(
  razorpay: Razorpay,
  input: CheckoutInput,
  expireBy: number,
): Promise<StartedCheckout> {
  const { price, accountName, email, returnUrl, idempotencyKey } = input;
  const made = shapes.linkShape.parse(
    await razorpay.paymentLink.create({
      amount: price.amount,
      currency: price.currency,
      description: `Pingr ${price.plan}, one ${price.interval}`,
      customer: { name: accountName, ...(email !== null && { email }) },
      // Unique, so that a repeat of the request makes no second link.
      reference_id: idempotencyKey.slice(0, 40),
      callback_url: returnUrl,
      callback_method: 'get',
      expire_by: expireBy,
      notes: { ...writeNotes(input), plan: price.plan, interval: price.interval },
    }),
  );
  return { url: made.short_url, subscriptionId: made.id };
}

async function fetchSubscription(
  razorpay: Razorpay,
  id: string,
  now: Date,
): Promise<SeenSubscription | undefined> {
  const answer = await razorpay.subscriptions.fetch(id).catch(isMissing);
  if (answer === undefined) return undefined;
  const found = shapes.subscriptionShape.parse(answer);
  const next = found.has_scheduled_changes
    ? shapes.subscriptionShape.parse(await razorpay.subscriptions.pendingUpdate(id)).plan_id
    : null;
  return shapes.seenSubscription(found, next === found.plan_id ? null : next, now);
}

async function* listSince(razorpay: Razorpay, since: Date): AsyncIterable<string> {
  const from = Math.floor(since.getTime() / 1_000);
  for (let skip = 0; ; skip += PAGE) {
    const answer = await razorpay.subscriptions.all({ from, count: PAGE, skip }).catch(asBillingError);
    const { items } = shapes.collectionOf(shapes.subscriptionShape).parse(answer);
    for (const { id } of items) yield id;
    if (items.length < PAGE) return;
  }
}
