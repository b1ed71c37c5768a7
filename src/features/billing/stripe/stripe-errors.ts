import Stripe from 'stripe';
import { PingrError } from '../../../lib/errors.ts';
import { billingErrors } from '../billing.errors.ts';

/** An unknown id is no error of a search. @throws everything else */
export function isMissing(error: unknown): undefined {
  if (error instanceof Stripe.errors.StripeInvalidRequestError && error.code === 'resource_missing')
    return undefined;
  throw error;
}

/**
 * Says in our words what Stripe said. Its own sentence is shown only where it is about the request or the card.
 * @throws billing.provider_refused or billing.provider_unavailable
 */
export function asBillingError(error: unknown): never {
  if (error instanceof PingrError) throw error;
  if (
    error instanceof Stripe.errors.StripeCardError ||
    error instanceof Stripe.errors.StripeInvalidRequestError ||
    error instanceof Stripe.errors.StripeIdempotencyError
  ) {
    throw billingErrors.providerRefused({ detail: `Stripe: ${error.message}`, cause: error });
  }
  throw billingErrors.providerUnavailable({ retryAfter: 30, cause: error });
}
