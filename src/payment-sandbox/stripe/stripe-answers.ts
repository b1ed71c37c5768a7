import { type Answer, ProviderRefusal } from '../sandbox-context.ts';

/** A good answer. */
export function ok(body: unknown): Answer {
  return { status: 200, body };
}

/** The object of an id. @throws ProviderRefusal as Stripe refuses unknown ids */
export function found<T>(of: Record<string, T>, id: string | undefined, name: string): T {
  const value = of[id ?? ''];
  if (value !== undefined) return value;
  const message = `No such ${name}: '${id}'`;
  throw new ProviderRefusal(404, {
    error: { type: 'invalid_request_error', code: 'resource_missing', param: 'id', message },
  });
}

/** A refusal of a parameter, in Stripe's shape. */
export function refuse(param: string, message: string, code = 'parameter_invalid_empty'): ProviderRefusal {
  return new ProviderRefusal(400, { error: { type: 'invalid_request_error', code, param, message } });
}
