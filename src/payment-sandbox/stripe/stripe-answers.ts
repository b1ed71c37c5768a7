import { type Answer, ProviderRefusal } from '../sandbox-context.ts';

/** A good answer. */
export function ok(body: unknown): Answer {
  return { status: 200, body };
}

/** The object of an id. @throws ProviderRefusal as Stripe refuses unknown ids */
export function found<T>(of: Record<string, T | undefined>, id: string | undefined, name: string): T {
  const value = of[id ?? ''];
  if (value !== undefined) return value;
  const message = `No such ${name}: '${id}'`;
  throw new ProviderRefusal(404, {
    error: { type: 'invalid_request_error', code: 'resource_missing', param: 'id', message },
  });
}

/** A page with everything on it. */
export function list(url: string, data: unknown[]): Answer {
  return ok({ object: 'list', url, has_more: false, data });
}

/** What a PaymentIntent that was declined shows, and an error that says so. Source: https://docs.stripe.com/error-codes */
export const CARD_DECLINED = {
  type: 'card_error',
  code: 'card_declined',
  decline_code: 'generic_decline',
  doc_url: 'https://docs.stripe.com/error-codes/card-declined',
  message: 'Your card was declined.',
} as const;

export function refuseCard(error: typeof CARD_DECLINED): ProviderRefusal {
  return new ProviderRefusal(402, { error });
}

/** A refusal of a parameter, in Stripe's shape; null for the code where Stripe gives none. */
export function refuse(
  param: string,
  message: string,
  code: string | null = 'parameter_invalid_empty',
): ProviderRefusal {
  const error = { type: 'invalid_request_error', ...(code !== null && { code }), param, message };
  return new ProviderRefusal(400, { error });
}
