import Razorpay from 'razorpay';
import { z } from 'zod';
import { PingrError } from '../../../lib/errors.ts';
import { billingErrors } from '../billing.errors.ts';

export interface RazorpayAccess {
  keyId: string;
  keySecret: string;
  /** Base of the API, where it is not Razorpay's own; without `/v1`. */
  apiUrl?: string | undefined;
  timeoutMs?: number;
}

/** Where the library keeps its axios instance; it has no option for the address or for a time limit. */
const innards = z.object({
  rq: z.custom<{ defaults: { baseURL?: string; timeout?: number } }>(
    (instance) => typeof instance === 'function' && 'defaults' in instance,
  ),
});

/** Razorpay's client, with a time limit, and pointed elsewhere where that is wanted. */
export function openRazorpay({ keyId, keySecret, apiUrl, timeoutMs = 20_000 }: RazorpayAccess): Razorpay {
  const client = new Razorpay({ key_id: keyId, key_secret: keySecret });
  const { defaults } = innards.parse(client.api).rq;
  defaults.timeout = timeoutMs;
  if (apiUrl !== undefined) defaults.baseURL = apiUrl;
  return client;
}

/** The library rejects with a plain object; with a TypeError where there was no answer. */
const refusal = z.object({
  statusCode: z.coerce.number(),
  error: z
    .object({ description: z.string().optional(), step: z.string().nullish(), reason: z.string().nullish() })
    .optional(),
});

/** Whether Razorpay says that it knows no such id. It answers 400, not 404. */
function isUnknownId({ statusCode, error }: z.output<typeof refusal>): boolean {
  return (
    statusCode === 404 ||
    (statusCode === 400 && /does not exist|not a valid id/i.test(error?.description ?? ''))
  );
}

/** An unknown id is no error of a search. @throws everything else */
export function isMissing(error: unknown): undefined {
  const read = refusal.safeParse(error);
  if (read.success && isUnknownId(read.data)) return undefined;
  throw error;
}

/** Whether the payer's bank refused, rather than Razorpay. */
function isDeclined({ error }: z.output<typeof refusal>): boolean {
  return error?.reason === 'payment_failed' || error?.step === 'payment_authorization';
}

/** @throws billing.payment_declined, billing.provider_refused or billing.provider_unavailable */
export function asBillingError(error: unknown): never {
  if (error instanceof PingrError) throw error;
  const { data } = refusal.safeParse(error);
  if (data !== undefined && isFinal(data.statusCode)) throw refused(data);
  throw billingErrors.providerUnavailable({
    retryAfter: 30,
    cause: error instanceof Error ? error : new Error(`Razorpay answered ${data?.statusCode ?? 0}`),
  });
}

/** A wrong key is our operator's affair, and too many requests pass. */
function isFinal(status: number): boolean {
  return status >= 400 && status < 500 && status !== 401 && status !== 429;
}

function refused(answer: z.output<typeof refusal>): PingrError {
  const reason = answer.error?.description ?? `status ${answer.statusCode}`;
  if (!isDeclined(answer)) return billingErrors.providerRefused({ detail: `Razorpay: ${reason}` });
  const todo = 'change the means of payment (POST /v1/billing/portal) and ask again';
  return billingErrors.paymentDeclined({
    detail: `Razorpay: ${reason}. The plan is as it was: ${todo}.`,
  });
}
