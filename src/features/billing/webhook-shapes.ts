import { z } from 'zod';
import { billingErrors } from './billing.errors.ts';

/** An id of a provider's, as it may stand in our tables and in addresses. */
export const providerId = z.string().regex(/^[\w-]{1,255}$/);

/** A name of an event. */
export const eventType = z.string().regex(/^[\w.-]{1,255}$/);

/** What a signed body says. @throws billing.webhook_unreadable for one that is no JSON or has another shape */
export function readSigned<S extends z.ZodType>(rawBody: Buffer, shape: S): z.output<S> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(rawBody.toString('utf8'));
  } catch {
    throw billingErrors.webhookUnreadable({ detail: 'The body is no JSON.' });
  }
  return readPart(parsed, shape);
}

/** The same for a part of it. */
export function readPart<S extends z.ZodType>(part: unknown, shape: S): z.output<S> {
  const read = shape.safeParse(part);
  if (read.success) return read.data;
  const places = read.error.issues.map(({ path }) => path.join('.') || 'the whole');
  throw billingErrors.webhookUnreadable({ detail: `Not as expected: ${[...new Set(places)].join(', ')}.` });
}
