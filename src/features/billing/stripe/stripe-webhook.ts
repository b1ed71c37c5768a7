import type Stripe from 'stripe';
import { z } from 'zod';
import { billingErrors } from '../billing.errors.ts';
import type { PaymentNotice, WebhookInput } from '../payment-provider.ts';
import { eventType, providerId, readPart, readSigned } from '../webhook-shapes.ts';

/** Older webhooks are refused, so that one that was overheard cannot be sent again. Seconds. */
const TOLERANCE_S = 300;

/**
 * Checks `Stripe-Signature` (HMAC-SHA256 under the whole secret over `t.body`, in constant time) and reads what the
 * event is about. Source: https://docs.stripe.com/webhooks
 * @throws billing.webhook_signature_invalid or billing.webhook_unreadable
 */
export function readStripeWebhook(
  stripe: Stripe,
  secrets: readonly string[],
  { rawBody, headers }: WebhookInput,
): PaymentNotice {
  const signature = headers['stripe-signature'];
  if (typeof signature !== 'string') throw billingErrors.signatureInvalid();
  let last: unknown;
  const isSigned = secrets.some((secret) => {
    try {
      return stripe.webhooks.signature?.verifyHeader(rawBody, signature, secret, TOLERANCE_S) ?? false;
    } catch (error) {
      last = error;
      return false;
    }
  });
  if (!isSigned) throw billingErrors.signatureInvalid({ cause: last });
  return noticeOf(readSigned(rawBody, eventShape));
}

const eventShape = z.object({
  id: providerId,
  type: eventType,
  data: z.object({ object: z.looseObject({ object: z.string().optional() }) }),
});

/** An id, or the whole object that has it. */
const reference = z
  .union([providerId, z.object({ id: providerId }).transform(({ id }) => id)])
  .nullish()
  .transform((id) => id ?? null);
const sessionShape = z.object({ subscription: reference });
const subscriptionShape = z.object({ id: providerId });
const invoiceShape = z
  .object({
    id: providerId.nullish(),
    parent: z.object({ subscription_details: z.object({ subscription: reference }).nullish() }).nullish(),
  })
  .transform(({ id, parent }) => ({
    invoiceId: id ?? null,
    subscriptionId: parent?.subscription_details?.subscription ?? null,
  }));
const disputeShape = z.object({ id: providerId, payment_intent: reference });
const paidShape = z.object({ payment_intent: reference });

/**
 * Whatever happens to a checkout, a subscription or an invoice is worth a look at the subscription; refunds and disputes
 * are worth one at the payment.
 */
function noticeOf({ id: eventId, type, data }: z.output<typeof eventShape>): PaymentNotice {
  const about = data.object;
  const ids = { subscriptionId: null, invoiceId: null, paymentId: null, disputeId: null };
  const notice = { ...ids, eventId, type };
  switch (about.object) {
    case 'checkout.session':
      return { ...notice, subscriptionId: readPart(about, sessionShape).subscription };
    case 'subscription':
      return { ...notice, subscriptionId: readPart(about, subscriptionShape).id };
    case 'invoice':
      return { ...notice, ...readPart(about, invoiceShape) };
    case 'dispute': {
      const { id: disputeId, payment_intent: paymentId } = readPart(about, disputeShape);
      return { ...notice, paymentId, disputeId };
    }
    case 'refund':
      return { ...notice, paymentId: readPart(about, paidShape).payment_intent };
    case 'charge':
      // Other events of a charge tell of payments, which those of invoices do as well.
      if (type !== 'charge.refunded') return notice;
      return { ...notice, paymentId: readPart(about, paidShape).payment_intent };
    case undefined:
    default:
      return notice;
  }
}
