import { z } from 'zod';

const delay = z.int().min(0).max(86_400_000).meta({ description: 'Milliseconds.', example: 500 });

const behavior = z
  .strictObject({
    on_whatsapp: z.boolean().meta({ description: 'False: the number is not on WhatsApp.', example: true }),
    deliver: z.union([z.enum(['now', 'never']), z.strictObject({ after_ms: delay })]).meta({
      description: 'When messages reach the phone; `never` holds them until this changes.',
      example: 'now',
    }),
    read: z
      .strictObject({ after_ms: delay })
      .nullable()
      .meta({ description: 'Reads each message after this long; null never reads.' }),
    reply: z
      .strictObject({
        text: z.string().min(1).meta({ description: 'What it answers.', example: 'Thanks!' }),
        after_ms: delay.default(0),
      })
      .nullable()
      .meta({ description: 'Answers each message with this text; null never answers.' }),
    nack: z
      .strictObject({
        code: z.int().min(100).max(999).meta({ description: "WhatsApp's error number.", example: 463 }),
        times: z.int().positive().meta({ description: 'How many messages.', example: 1 }),
      })
      .nullable()
      .meta({ description: 'WhatsApp refuses the next messages to this number.' }),
  })
  .meta({ id: 'PhoneBehavior', description: 'How the phone treats what it is sent.' });

export const phoneView = z
  .object({
    phone: z.string().meta({ description: 'E.164 number.', example: '+919876543210' }),
    lid: z.string().meta({ description: "WhatsApp's own id of its user.", example: '182731923847561' }),
    name: z.string().nullish().meta({ description: 'Name its user chose.', example: 'Asha' }),
    online: z.boolean().meta({ description: 'Whether it is connected.', example: true }),
    behavior,
    devices: z
      .array(
        z.object({
          device: z.int().meta({ description: 'Device id.', example: 1 }),
          linked_at: z
            .string()
            .meta({ description: 'When it was linked.', example: '2026-11-21T09:00:00.000Z' }),
          online: z.boolean().meta({ description: 'Whether it is connected.', example: true }),
          banned: z.boolean().meta({ description: 'Whether WhatsApp refuses it.', example: false }),
        }),
      )
      .meta({ description: 'Devices linked to it: sessions.' }),
  })
  .meta({ id: 'SandboxPhone', description: 'A virtual phone.' });

export const phoneList = z
  .object({ data: z.array(phoneView).meta({ description: 'The phones of the account.' }) })
  .meta({ id: 'SandboxPhoneList', description: 'Virtual phones.' });

export const newPhone = z
  .strictObject({
    phone: z
      .string()
      .max(40)
      .optional()
      .meta({ description: 'Number; left out, a fresh one is chosen.', example: '+919876543210' }),
    name: z
      .string()
      .trim()
      .min(1)
      .max(100)
      .optional()
      .meta({ description: 'Name of its user.', example: 'Asha' }),
  })
  .meta({ id: 'NewSandboxPhone', description: 'A virtual phone to create.' });

export const phoneChange = z
  .strictObject({
    online: z.boolean().optional().meta({ description: 'Goes offline or comes back.', example: false }),
    name: z
      .string()
      .trim()
      .min(1)
      .max(100)
      .optional()
      .meta({ description: 'Name of its user.', example: 'Asha' }),
    behavior: behavior
      .partial()
      .optional()
      .meta({ description: 'How it treats what it is sent; what is left out stays.' }),
    ban: z.string().optional().meta({
      description: 'Session that WhatsApp bans from now on.',
      example: 'ses_01h455vb4pex5vsknk084sn02q',
    }),
    cut: z.string().optional().meta({
      description: 'Session whose connection is cut once.',
      example: 'ses_01h455vb4pex5vsknk084sn02q',
    }),
  })
  .meta({ id: 'SandboxPhoneChange', description: 'What to change about a virtual phone.' });

export const scanBody = z
  .strictObject({
    session: z
      .string()
      .meta({ description: 'Session whose QR code is scanned.', example: 'ses_01h455vb4pex5vsknk084sn02q' }),
  })
  .meta({ id: 'SandboxScan', description: 'A QR code to scan.' });

export const codeBody = z
  .strictObject({
    code: z.string().min(1).max(16).meta({ description: 'The pairing code.', example: 'ABCD1234' }),
  })
  .meta({ id: 'SandboxPairingCode', description: 'A pairing code to type.' });

export const linkedView = z
  .object({ device: z.int().meta({ description: 'Device id that the session got.', example: 1 }) })
  .meta({ id: 'SandboxLink', description: 'A session that was linked.' });

export const inboxView = z
  .object({
    data: z
      .array(
        z.object({
          id: z
            .string()
            .meta({ description: "WhatsApp's id of the message.", example: '3EB0A1B2C3D4E5F6071829' }),
          from: z.string().meta({ description: 'Who wrote it.', example: '+919812345678' }),
          to: z.string().meta({ description: 'To whom.', example: '+919876543210' }),
          direction: z.string().meta({ description: 'Seen from the phone.', example: 'in' }),
          text: z
            .string()
            .nullish()
            .meta({ description: 'The text, as the phone decrypted it.', example: 'Hello' }),
          received_at: z
            .string()
            .meta({ description: 'When it came or was written.', example: '2026-11-21T09:00:00.000Z' }),
          delivered_at: z
            .string()
            .nullish()
            .meta({ description: 'When it was delivered.', example: '2026-11-21T09:00:00.100Z' }),
          read_at: z
            .string()
            .nullish()
            .meta({ description: 'When it was read.', example: '2026-11-21T09:00:01.000Z' }),
          quoted_id: z
            .string()
            .nullish()
            .meta({ description: 'The message it replies to.', example: '3EB0A1B2C3D4E5F6071829' }),
          quoted_from: z.string().nullish().meta({
            description: 'Who wrote that message, as the reply says.',
            example: '+919876543210',
          }),
          quoted_text: z.string().nullish().meta({
            description: 'What that message said, as the reply shows it.',
            example: 'Where is my order?',
          }),
          duplicates: z.int().meta({ description: 'How often the same message came again.', example: 0 }),
        }),
      )
      .meta({ description: 'Oldest first.' }),
    has_more: z.boolean().meta({ description: 'Whether there are more.', example: false }),
    next_cursor: z.string().nullish().meta({ description: 'Send it as `after`.', example: null }),
  })
  .meta({ id: 'SandboxInbox', description: 'What a virtual phone received and wrote.' });

export const inboxQuery = z.strictObject({
  after: z
    .string()
    .max(200)
    .optional()
    .meta({ description: 'The `next_cursor` of the page before.', example: '17' }),
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(1000)
    .default(100)
    .meta({ description: 'How many to return.', example: 100 }),
});

export const writeBody = z
  .strictObject({
    to: z.string().max(40).meta({ description: "A session's number.", example: '+919812345678' }),
    text: z
      .strictObject({
        body: z.string().min(1).max(65_536).meta({ description: 'The text.', example: 'login' }),
      })
      .meta({ description: 'What the phone writes.' }),
    quoted_id: z
      .string()
      .min(1)
      .optional()
      .meta({ description: 'Message to reply to, by WhatsApp’s id.', example: '3EB0A1B2C3D4E5F6071829' }),
    count: z.int().min(1).max(1000).optional().meta({ description: 'Writes it so many times.', example: 1 }),
  })
  .meta({ id: 'SandboxWrite', description: 'A message that a virtual phone writes.' });

export const wroteView = z
  .object({
    id: z.string().meta({ description: "WhatsApp's id of the message.", example: '3EB0A1B2C3D4E5F6071829' }),
    ids: z.array(z.string()).meta({ description: 'All ids, where `count` asked for several.' }),
  })
  .meta({ id: 'SandboxWrote', description: 'A message on its way.' });

export const readBody = z
  .strictObject({
    message_ids: z
      .array(z.string().min(1))
      .optional()
      .meta({ description: 'WhatsApp ids; left out, all unread ones.' }),
  })
  .meta({ id: 'SandboxRead', description: 'What the user of the phone reads.' });

export const readView = z
  .object({ read: z.int().meta({ description: 'How many messages became read.', example: 1 }) })
  .meta({ id: 'SandboxReadResult', description: 'What was read.' });
