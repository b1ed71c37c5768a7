import Stripe from 'stripe';
import { PingrError } from '../../../lib/errors.ts';
import { billingErrors } from '../billing.errors.ts';

/** An unknown id is no error of a search. @throws everything else */
export function isMissing(error: unknown): undefined {
  if (error instanceof Stripe.errors.StripeInvalidRequestError && error.code === 'resource_missing')
    return undefined;
  throw error;
}

/** Whether Stripe said no, so that nothing has changed there. */
export function isRefusal(error: unknown): boolean {
  return (
    error instanceof Stripe.errors.StripeCardError ||
    error instanceof Stripe.errors.StripeInvalidRequestError ||
    error instanceof Stripe.errors.StripeIdempotencyError
  );
}

/** @param alternative what may be done instead, following "…and ask again, " */
export function paymentDeclined(reason: string, alternative?: string, cause?: unknown): PingrError {
  const todo = 'The plan is as it was: change the card (POST /v1/billing/portal) and ask again';
  const detail = `Stripe: ${reason} ${todo}${alternative === undefined ? '' : `, ${alternative}`}.`;
  return billingErrors.paymentDeclined({ detail, cause });
}

/**
 * Says in our words what Stripe said. Its own sentence is shown only where it is about the request or the card.
 * @throws billing.payment_declined, billing.provider_refused or billing.provider_unavailable
 */
export function asBillingError(error: unknown): never {
  if (error instanceof PingrError) throw error;
  if (error instanceof Stripe.errors.StripeCardError) throw paymentDeclined(error.message, undefined, error);
  if (error instanceof Error && isRefusal(error)) {
    throw billingErrors.providerRefused({ detail: `Stripe: ${error.message}`, cause: error });
  }
  throw billingErrors.providerUnavailable({ retryAfter: 30, cause: error });
}
