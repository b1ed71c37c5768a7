import { type Answer, fieldsOf, ProviderRefusal, textOf } from '../sandbox-context.ts';
import type { Notes } from './razorpay-entities.ts';

/** A good answer. */
export function ok(body: unknown): Answer {
  return { status: 200, body };
}

/** A refusal of a request, in Razorpay's shape. */
export function refuse(description: string, field?: string): ProviderRefusal {
  return new ProviderRefusal(400, {
    error: {
      code: 'BAD_REQUEST_ERROR',
      description,
      source: 'business',
      step: 'payment_initiation',
      reason: 'input_validation_failed',
      metadata: {},
      field,
    },
  });
}

/** A payment that the payer's bank refused. Source: https://razorpay.com/docs/errors/ */
export function refusePayment(): ProviderRefusal {
  return new ProviderRefusal(400, {
    error: {
      code: 'BAD_REQUEST_ERROR',
      description: 'Your payment was declined by the bank',
      source: 'bank',
      step: 'payment_authorization',
      reason: 'payment_failed',
      metadata: {},
    },
  });
}

/** Razorpay answers 400 for an id that it does not know. */
export function found<T>(of: Record<string, T | undefined>, id: string | undefined): T {
  const value = of[id ?? ''];
  if (value === undefined) throw refuse('The id provided does not exist');
  return value;
}

/** A page of a list. */
export function collection(all: unknown[], query: URLSearchParams): Answer {
  const skip = Number(query.get('skip') ?? 0);
  const items = all.slice(skip, skip + Math.min(Number(query.get('count') ?? 10), 100));
  return ok({ entity: 'collection', count: items.length, items });
}

/** Notes as Razorpay gives them back. */
export function notesOf(value: unknown): Notes {
  const notes = Object.entries(fieldsOf(value)).map(([name, text]) => [name, textOf(text)] as const);
  return notes.length === 0 ? [] : Object.fromEntries(notes);
}

/** An amount in paise. @throws ProviderRefusal for less than a rupee */
export function amountOf(value: unknown): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 100) {
    throw refuse('The amount must be atleast INR 1.00', 'amount');
  }
  return value;
}
