import { z } from 'zod';

const selector = {
  realm: z.string().min(1).optional(),
  /** Digits of the number, with or without `+`. */
  phone: z
    .string()
    .regex(/^\+?\d{5,15}$/, 'must be digits with an optional leading +')
    .transform((phone) => phone.replace('+', ''))
    .optional(),
  device: z.int().min(0).max(255).optional(),
};
const span = {
  /** How often it strikes; without it, until cleared or `for_ms` is over. */
  times: z.int().positive().optional(),
  for_ms: z.int().positive().optional(),
};
const milliseconds = z.int().min(0).max(3_600_000);
const wireCode = z.int().min(100).max(999);

/** Faults that lie in wait for what comes. */
const lasting = [
  z.strictObject({
    kind: z.literal('forged_certificate'),
    link: z.enum(['root', 'intermediate', 'leaf']),
    ...span,
  }),
  z.strictObject({ kind: z.literal('forged_account_signature'), ...selector, ...span }),
  z.strictObject({ kind: z.literal('forged_prekey_signature'), ...selector, ...span }),
  z.strictObject({ kind: z.literal('silence'), ms: milliseconds.min(1), ...selector }),
  z.strictObject({ kind: z.literal('refuse_upgrade'), status: z.int().min(300).max(599), ...span }),
  z.strictObject({ kind: z.literal('refuse_login'), reason: wireCode, ...selector, ...span }),
  z.strictObject({ kind: z.literal('nack'), code: wireCode, ...selector, ...span }),
  z.strictObject({ kind: z.literal('drop_query'), query: z.enum(['usync', 'keys']), ...selector, ...span }),
  z.strictObject({ kind: z.literal('drop_ack'), ...selector, ...span }),
  z.strictObject({ kind: z.literal('delay_acks'), ms: milliseconds, ...selector, ...span }),
  z.strictObject({ kind: z.literal('duplicate_delivery'), ...selector, ...span }),
  z.strictObject({ kind: z.literal('corrupt_delivery'), ...selector, ...span }),
] as const;

/** Faults that happen at once and are over. */
const immediate = [
  z.strictObject({ kind: z.literal('cut'), ...selector }),
  z.strictObject({ kind: z.literal('end_stream'), ...selector }),
  z.strictObject({
    kind: z.literal('stream_error'),
    code: wireCode.optional(),
    conflict: z.enum(['replaced', 'device_removed']).optional(),
    ...selector,
  }),
  z.strictObject({ kind: z.literal('prekeys_low'), count: z.int().min(0), ...selector }),
  z.strictObject({ kind: z.literal('forget_sessions'), ...selector }),
] as const;

/** Body of `POST /v1/faults`. */
export const faultSchema = z.discriminatedUnion('kind', [...lasting, ...immediate]);
const lastingSchema = z.discriminatedUnion('kind', lasting);

export type Fault = z.output<typeof faultSchema>;
export type LastingFault = z.output<typeof lastingSchema>;
export type ImmediateFault = Exclude<Fault, LastingFault>;

/** Whether a fault waits to strike, rather than happening at once. */
export function isLasting(fault: Fault): fault is LastingFault {
  return lasting.some((schema) => schema.shape.kind.value === fault.kind);
}
