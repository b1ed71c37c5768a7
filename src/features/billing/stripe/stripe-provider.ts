import Stripe from 'stripe';
import { billingErrors } from '../billing.errors.ts';
import { writeNotes } from '../checkout-notes.ts';
import { merchantOf } from '../merchant.ts';
import type { CheckoutInput, PaymentProvider, StartedCheckout } from '../payment-provider.ts';
import type { PlanPrice } from '../plans.model.ts';
import { cancel, changePrice } from './stripe-changes.ts';
import { asBillingError, isMissing } from './stripe-errors.ts';
import { stripeReturns } from './stripe-returns.ts';
import { seenInvoice, seenSubscription } from './stripe-views.ts';
import { readStripeWebhook } from './stripe-webhook.ts';

export interface StripeConfig {
  secretKey: string;
  /** Current secret first; those before it are still accepted. */
  webhookSecrets: readonly string[];
  /** Base of the API, where it is not Stripe's own. */
  apiUrl?: string | undefined;
  currency: string;
  timeoutMs?: number;
}

/** Invoices that are looked at for what is new. */
const RECENT_INVOICES = 24;

/** Stripe Billing: Checkout, subscriptions, the customer portal. Source: https://docs.stripe.com/api */
export function createStripeProvider(config: StripeConfig): PaymentProvider {
  const stripe = new Stripe(config.secretKey, clientOptions(config));
  const call = <T>(work: Promise<T>): Promise<T> => work.catch(asBillingError);
  const retrieve = (id: string) => stripe.subscriptions.retrieve(id, { expand: ['schedule'] });

  return {
    name: 'stripe',
    merchant: merchantOf(config.apiUrl ?? 'https://api.stripe.com', config.secretKey),
    currency: config.currency,

    createPrice: (price, planName) => call(findOrCreatePrice(stripe, price, planName)),
    startCheckout: (input) => call(startCheckout(stripe, input)),

    async fetchSubscription(id) {
      const found = await call(retrieve(id).catch(isMissing));
      return found && seenSubscription(found);
    },

    async listInvoices(subscription) {
      const { data } = await call(
        stripe.invoices.list({ subscription, limit: RECENT_INVOICES, expand: ['data.payments'] }),
      );
      return data.filter(({ status }) => status !== 'draft').map(seenInvoice);
    },

    changePrice: (id, priceId, when) => call(changePrice(stripe, id, priceId, when)),
    cancel: (id, when) => call(cancel(stripe, id, when)),

    async resume(id) {
      const { status } = await call(retrieve(id));
      await call(
        status === 'paused'
          ? stripe.subscriptions.resume(id)
          : stripe.subscriptions.update(id, { cancel_at_period_end: false }),
      );
    },

    async manageUrl({ customerId, returnUrl }) {
      if (customerId === null) throw billingErrors.notSubscribed();
      const portal = await call(
        stripe.billingPortal.sessions.create({ customer: customerId, return_url: returnUrl }),
      );
      return portal.url;
    },

    async *listSubscriptionsSince(since) {
      const created = { gte: Math.floor(since.getTime() / 1_000) };
      try {
        for await (const { id } of stripe.subscriptions.list({ created, status: 'all', limit: 100 }))
          yield id;
      } catch (error) {
        asBillingError(error);
      }
    },

    ...stripeReturns(stripe),
    readWebhook: (input) => readStripeWebhook(stripe, config.webhookSecrets, input),
  };
}

function clientOptions({ apiUrl, timeoutMs = 20_000 }: StripeConfig) {
  const common = { timeout: timeoutMs, maxNetworkRetries: 2, telemetry: false } as const;
  if (apiUrl === undefined) return common;
  const { protocol, hostname, port } = new URL(apiUrl);
  return {
    ...common,
    host: hostname,
    protocol: protocol === 'http:' ? ('http' as const) : ('https' as const),
    ...(port !== '' && { port: Number(port) }),
  };
}

/** Prices are found again by their lookup key, so that a second process or a lost row makes no second one. */
async function findOrCreatePrice(stripe: Stripe, price: PlanPrice, planName: string): Promise<string> {
  const { plan, interval, currency, amount } = price;
  const key = `pingr_${plan}_${interval}_${currency.toLowerCase()}_${amount}`;
  const { data } = await stripe.prices.list({ lookup_keys: [key], limit: 1 });
  const [found] = data;
  if (found) return found.id;
  const created = await stripe.prices.create(
    {
      lookup_key: key,
      currency: currency.toLowerCase(),
      unit_amount: amount,
      recurring: { interval },
      product_data: { name: `Pingr ${planName}` },
      metadata: { plan },
    },
    { idempotencyKey: key },
  );
  return created.id;
}

async function startCheckout(stripe: Stripe, input: CheckoutInput): Promise<StartedCheckout> {
  if (!input.renews) throw billingErrors.oneOffUnsupported();
  const metadata = writeNotes(input);
  const session = await stripe.checkout.sessions.create(
    {
      mode: 'subscription',
      line_items: [{ price: input.priceId, quantity: 1 }],
      success_url: withSessionId(input.returnUrl),
      cancel_url: input.returnUrl,
      client_reference_id: metadata['pingr_account'] ?? '',
      metadata,
      // Stripe does not copy the session's metadata to the subscription.
      subscription_data: { metadata },
      ...payer(input),
    },
    { idempotencyKey: input.idempotencyKey },
  );
  if (session.url === null) throw billingErrors.providerRefused({ detail: 'Stripe made no page to pay on.' });
  return { url: session.url, subscriptionId: undefined };
}

function payer({ customerId, email }: CheckoutInput) {
  if (customerId !== undefined) return { customer: customerId };
  return email === null ? {} : { customer_email: email };
}

/** Stripe puts the session's id in the place of the braces, which must stay as they are. */
function withSessionId(returnUrl: string): string {
  const url = new URL(returnUrl);
  url.searchParams.set('checkout', 'success');
  return `${url.href}&session_id={CHECKOUT_SESSION_ID}`;
}
