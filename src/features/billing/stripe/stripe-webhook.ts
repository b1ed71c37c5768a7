import type Stripe from 'stripe';
import { billingErrors } from '../billing.errors.ts';
import type { PaymentNotice, WebhookInput } from '../payment-provider.ts';
import { idOf } from './stripe-views.ts';

/** Older webhooks are refused, so that one that was overheard cannot be sent again. Seconds. */
const TOLERANCE_S = 300;

/**
 * Checks `Stripe-Signature` (HMAC-SHA256 under the whole secret over `t.body`, in constant time) and reads what the
 * event is about. Source: https://docs.stripe.com/webhooks
 * @throws billing.webhook_signature_invalid
 */
export function readStripeWebhook(
  stripe: Stripe,
  secrets: readonly string[],
  { rawBody, headers }: WebhookInput,
): PaymentNotice {
  const signature = headers['stripe-signature'];
  if (typeof signature !== 'string') throw billingErrors.signatureInvalid();
  let last: unknown;
  for (const secret of secrets) {
    try {
      return noticeOf(stripe.webhooks.constructEvent(rawBody, signature, secret, TOLERANCE_S));
    } catch (error) {
      last = error;
    }
  }
  throw billingErrors.signatureInvalid({ cause: last });
}

/**
 * Whatever happens to a checkout, a subscription or an invoice is worth a look at the subscription; refunds and disputes
 * are worth one at the payment.
 */
function noticeOf(event: Stripe.Event): PaymentNotice {
  const about = event.data.object;
  const ids = { subscriptionId: null, invoiceId: null, paymentId: null, disputeId: null };
  const notice = { ...ids, eventId: event.id, type: event.type };
  if (!('object' in about)) return notice;
  if (about.object === 'checkout.session') return { ...notice, subscriptionId: idOf(about.subscription) };
  if (about.object === 'subscription') return { ...notice, subscriptionId: about.id };
  if (about.object === 'invoice') {
    const subscription = about.parent?.subscription_details?.subscription;
    return { ...notice, invoiceId: about.id ?? null, subscriptionId: idOf(subscription) };
  }
  if (about.object === 'dispute')
    return { ...notice, paymentId: idOf(about.payment_intent), disputeId: about.id };
  // Other events of a charge tell of payments, which those of invoices do as well.
  if (about.object === 'refund' || (about.object === 'charge' && event.type === 'charge.refunded'))
    return { ...notice, paymentId: idOf(about.payment_intent) };
  return notice;
}
