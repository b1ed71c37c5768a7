import { z } from 'zod';

const delay = z.int().min(0).max(86_400_000);

/** How a virtual phone treats what others send it, as the control API shows and takes it. */
export const behaviorSchema = z.strictObject({
  /** False: the number is not on WhatsApp. */
  on_whatsapp: z.boolean(),
  /** When a message reaches the phone: `never` holds it until this changes. */
  deliver: z.union([z.enum(['now', 'never']), z.strictObject({ after_ms: delay })]),
  /** Whether and when the phone's user reads what has come. */
  read: z.strictObject({ after_ms: delay }).nullable(),
  /** What the phone's user answers to each message. */
  reply: z.strictObject({ text: z.string().min(1), after_ms: delay.default(0) }).nullable(),
  /** The server refuses the next messages to this number. */
  nack: z.strictObject({ code: z.int().min(100).max(999), times: z.int().positive() }).nullable(),
});
export type Behavior = z.output<typeof behaviorSchema>;

/** Reaches the phone at once, is not read, not answered. */
export const ORDINARY_BEHAVIOR: Behavior = {
  on_whatsapp: true,
  deliver: 'now',
  read: null,
  reply: null,
  nack: null,
};
