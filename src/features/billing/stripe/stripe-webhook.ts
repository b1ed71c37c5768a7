import type Stripe from 'stripe';
import { billingErrors } from '../billing.errors.ts';
import type { PaymentNotice, WebhookInput } from '../payment-provider.ts';

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

/** Whatever happens to a checkout, a subscription or an invoice is worth a look at the subscription. */
function noticeOf(event: Stripe.Event): PaymentNotice {
  const about = event.data.object;
  const notice = { eventId: event.id, type: event.type, subscriptionId: null, invoiceId: null };
  if (!('object' in about)) return notice;
  if (about.object === 'checkout.session') return { ...notice, subscriptionId: idOf(about.subscription) };
  if (about.object === 'subscription') return { ...notice, subscriptionId: about.id };
  if (about.object !== 'invoice') return notice;
  const subscription = about.parent?.subscription_details?.subscription;
  return { ...notice, invoiceId: about.id ?? null, subscriptionId: idOf(subscription) };
}

function idOf(reference: string | { id: string } | null | undefined): string | null {
  return (typeof reference === 'string' ? reference : reference?.id) ?? null;
}
