import { z } from 'zod';
import { parsePhone } from '../../lib/phone.ts';
import { idField, timeField } from '../../platform/http/api-fields.ts';
import { SESSION_STATUSES } from './sessions.model.ts';

const name = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .meta({ description: 'Name of your choice.', example: 'Support' });

const pacingInput = z
  .strictObject({
    interval_ms: z
      .int()
      .min(0)
      .max(600_000)
      .meta({ description: 'Least time between two messages, in milliseconds.', example: 1000 }),
    jitter_ms: z
      .int()
      .min(0)
      .max(600_000)
      .meta({ description: 'Up to this many random milliseconds more.', example: 500 }),
    typing: z.boolean().meta({
      description:
        'Shows "typing…" before each message, for as long as a person would type it but no longer than the interval and its jitter, of which it is a part.',
      example: true,
    }),
    warm_up_days: z.int().min(0).max(60).meta({
      description:
        'Days over which a newly linked number speeds up from a fifth of its rate; 0 turns it off.',
      example: 7,
    }),
  })
  .partial()
  .meta({
    id: 'Pacing',
    description: 'How fast the session sends. What is left out keeps the default of the mode.',
  });

export const newSessionBody = z
  .strictObject({
    name,
    auto_pair: z
      .boolean()
      .default(false)
      .meta({ description: 'Test mode: link to a fresh virtual phone at once.', example: true }),
    pacing: pacingInput.optional(),
  })
  .meta({ id: 'NewSession', description: 'A session to create.' });

export const sessionChangeBody = z
  .strictObject({
    name: name.optional(),
    pacing: pacingInput.nullable().optional().meta({
      description: 'How fast it sends; what is left out stays, null puts all of it back to the usual.',
    }),
  })
  .meta({ id: 'SessionChange', description: 'What to change about a session.' });

export const sessionView = z
  .object({
    id: idField('session', 'Id of the session.'),
    name: z.string().meta({ description: 'Name of your choice.', example: 'Support' }),
    mode: z
      .enum(['test', 'live'])
      .meta({ description: '`test` sessions live in the sandbox.', example: 'test' }),
    status: z.enum(SESSION_STATUSES).meta({
      description:
        '`starting`: waits for a worker. `pairing`: shows a QR code. `connecting`, `connected`, `disconnected` (comes back by itself). `logged_out`, `banned`, `replaced`, `failed`: needs you.',
      example: 'connected',
    }),
    status_reason: z
      .object({
        code: z.string().meta({ description: 'Stable code.', example: 'session.logged_out' }),
        detail: z
          .string()
          .nullable()
          .meta({ description: 'What happened and what to do.', example: 'The session was logged out.' }),
      })
      .nullable()
      .meta({ description: 'Why the session has this status, where that needs words.' }),
    status_at: timeField('When the status began.'),
    phone: z
      .string()
      .nullable()
      .meta({ description: 'E.164 number, once linked.', example: '+919876543210' }),
    lid: z
      .string()
      .nullable()
      .meta({ description: "WhatsApp's own id of the number.", example: '182731923847561' }),
    display_name: z
      .string()
      .nullable()
      .meta({ description: 'Name of the WhatsApp profile.', example: 'Acme' }),
    pacing: pacingInput,
    linked_at: timeField('When the number was linked.').nullable(),
    created_at: timeField('When the session was created.'),
  })
  .meta({ id: 'Session', description: 'A WhatsApp number linked, or to be linked, to the account.' });

export type SessionView = z.input<typeof sessionView>;

export const deletedView = z
  .object({ session: idField('session', 'The session that is deleted.') })
  .meta({ id: 'SessionDeleted', description: 'Nothing more will come of a session.' });

export const qrQuery = z.strictObject({
  format: z
    .enum(['png', 'svg', 'text', 'json'])
    .optional()
    .meta({ description: 'Instead of `Accept`.', example: 'png' }),
});

export const qrView = z
  .object({
    qr: z
      .string()
      .meta({ description: 'Text of the QR code.', example: 'https://wa.me/settings/linked_devices#…' }),
    expires_at: timeField('When WhatsApp stops taking this code; the next one is here by then.'),
  })
  .meta({ id: 'SessionQr', description: 'A QR code for Linked devices on the phone.' });

export const pairingBody = z
  .strictObject({
    phone: z
      .string()
      .max(40)
      .transform((text, context) => {
        const parsed = parsePhone(text);
        if (parsed.ok) return parsed.digits;
        context.addIssue({ code: 'custom', message: parsed.reason });
        return z.NEVER;
      })
      .meta({ description: 'The number to link, in international form.', example: '+919876543210' }),
  })
  .meta({ id: 'PairingRequest', description: 'The number that the code is for.' });

export const pairingView = z
  .object({
    code: z.string().meta({
      description: 'Type it on the phone under Linked devices → Link with phone number.',
      example: 'ABCD1234',
    }),
    phone: z.string().meta({ description: 'The number it is for.', example: '+919876543210' }),
  })
  .meta({ id: 'PairingCode', description: 'A pairing code.' });
