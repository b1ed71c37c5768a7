import type { RazorpayState } from './razorpay/razorpay-entities.ts';
import type { StripeState } from './stripe/stripe-entities.ts';
import type { WebhookSender } from './webhook-sender.ts';

export interface SandboxLog {
  info: (fields: Record<string, unknown>, message: string) => void;
  warn: (fields: Record<string, unknown>, message: string) => void;
}

export interface SandboxState {
  stripe: StripeState;
  razorpay: RazorpayState;
}

/** What every part of the sandbox works on. */
export interface SandboxContext {
  state: SandboxState;
  /** Where people reach the sandbox, without a slash at the end. */
  url: string;
  /** Seconds since 1970, as both providers count. */
  now: () => number;
  /** A new id: the prefix and fourteen letters and digits. */
  newId: (prefix: string) => string;
  webhooks: WebhookSender;
  /** To call after every change. */
  changed: () => void;
  keys: SandboxKeys;
}

/** What the merchant, our own program, has to know. */
export interface SandboxKeys {
  stripeSecretKey: string;
  stripeWebhookSecret: string;
  razorpayKeyId: string;
  razorpayKeySecret: string;
  razorpayWebhookSecret: string;
}

/** A call of the API or of a page. */
export interface Call {
  method: string;
  path: string;
  query: URLSearchParams;
  body: Record<string, unknown>;
  params: Record<string, string>;
}

export interface Answer {
  status: number;
  /** JSON, unless `html` or `location` is given. */
  body?: unknown;
  html?: string;
  location?: string;
}

export interface SandboxRoute {
  method: string;
  /** With `:name` for parameters. */
  path: string;
  handle: (context: SandboxContext, call: Call) => Answer;
}

/** An error answer in the provider's shape. */
export class ProviderRefusal extends Error {
  readonly status: number;
  readonly body: object;

  constructor(status: number, body: object) {
    super(JSON.stringify(body));
    this.status = status;
    this.body = body;
  }
}

/** The end of a period that begins at `start`, both in seconds. */
export function endOfPeriod(start: number, interval: 'month' | 'year'): number {
  const end = new Date(start * 1_000);
  end.setUTCMonth(end.getUTCMonth() + (interval === 'month' ? 1 : 12));
  return Math.floor(end.getTime() / 1_000);
}

/** Text of a field; empty where it has none. */
export function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/** The fields of an object; none for anything else. */
export function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}
