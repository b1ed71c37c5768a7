import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { billingErrors } from '../billing.errors.ts';
import type { CheckoutProof, PaymentNotice, WebhookInput } from '../payment-provider.ts';
import { eventType, providerId, readSigned } from '../webhook-shapes.ts';

/** HMAC-SHA256 as hex, compared in constant time. */
function isSigned(message: string | Buffer, signature: string, key: string): boolean {
  const expected = Buffer.from(createHmac('sha256', key).update(message).digest('hex'));
  const given = Buffer.from(signature);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/**
 * Whether what a person brings back from the checkout was signed under the key secret: `payment|subscription`, or
 * `link|reference|status|payment` for a payment link. It proves a payment for this id, not its amount.
 * Source: https://razorpay.com/docs/payments/subscriptions/integration-guide/
 */
export function isCheckoutProof(proof: CheckoutProof, keySecret: string): boolean {
  const { subscriptionId, paymentId, signature, referenceId = '', status = '' } = proof;
  const message = subscriptionId.startsWith('plink_')
    ? `${subscriptionId}|${referenceId}|${status}|${paymentId}`
    : `${paymentId}|${subscriptionId}`;
  return isSigned(message, signature, keySecret);
}

/** Parts of an event; some are there as null. */
const aboutSelf = z
  .object({ entity: z.object({ id: providerId }) })
  .nullish()
  .transform((part) => part?.entity);
const aboutPayment = z
  .object({ entity: z.object({ id: providerId, payment_id: providerId.nullish() }) })
  .nullish()
  .transform((part) => part?.entity);
const aboutSubscription = z
  .object({ entity: z.object({ id: providerId, subscription_id: providerId.nullish() }) })
  .nullish()
  .transform((part) => part?.entity);

const eventShape = z.object({
  event: eventType,
  payload: z.object({
    subscription: aboutSelf,
    payment_link: aboutSelf,
    invoice: aboutSubscription,
    refund: aboutPayment,
    dispute: aboutPayment,
  }),
});

/**
 * Checks `X-Razorpay-Signature` (HMAC-SHA256 under the webhook's secret over the raw body) and reads what the event is
 * about. Its id is in a header of its own. Source: https://razorpay.com/docs/webhooks/validate-test/
 * @throws billing.webhook_signature_invalid or billing.webhook_unreadable
 */
export function readRazorpayWebhook(
  secrets: readonly string[],
  { rawBody, headers }: WebhookInput,
): PaymentNotice {
  const signature = headers['x-razorpay-signature'];
  const eventId = headers['x-razorpay-event-id'];
  if (typeof signature !== 'string' || !secrets.some((secret) => isSigned(rawBody, signature, secret))) {
    throw billingErrors.signatureInvalid();
  }
  // Older setups send no id; then the signature is one, since a repeat of the body has the same.
  const named = typeof eventId === 'string' && eventId !== '';
  return noticeOf(readSigned(rawBody, eventShape), named ? eventId.slice(0, 255) : signature);
}

function noticeOf({ event: type, payload }: z.output<typeof eventShape>, eventId: string): PaymentNotice {
  const { subscription, payment_link: link, invoice, refund, dispute } = payload;
  const about = subscription ?? link;
  const returned = dispute ?? refund;
  return {
    eventId,
    type,
    subscriptionId: orNull(about?.id ?? invoice?.subscription_id),
    invoiceId: orNull(invoice?.id),
    paymentId: orNull(returned?.payment_id),
    disputeId: orNull(dispute?.id),
  };
}

function orNull(id: string | null | undefined): string | null {
  return id ?? null;
}
