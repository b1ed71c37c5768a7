import { z } from 'zod';
import { parsePhone } from '../../lib/phone.ts';
import { idInput, timeInput } from '../../platform/http/api-fields.ts';
import { MESSAGE_STATUSES } from './messages.model.ts';

/** A phone number in a body or query; comes out as digits without `+`. */
export const phoneInput = z
  .string()
  .max(40)
  .transform((text, ctx) => {
    const parsed = parsePhone(text);
    if (parsed.ok) return parsed.digits;
    ctx.addIssue({ code: 'custom', message: parsed.reason });
    return z.NEVER;
  })
  .meta({
    description: 'International number (E.164), with or without `+`; spaces and dashes are ignored.',
    example: '+919876543210',
  });

const textInput = z
  .strictObject({
    body: z
      .string()
      .min(1)
      .max(4096)
      .meta({ description: 'The text, up to 4,096 characters.', example: 'Your order has shipped.' }),
    preview_url: z
      .boolean()
      .optional()
      .meta({ description: 'Accepted for Meta compatibility; previews are not made.' }),
  })
  .meta({ description: 'Content of a text message.' });

export const sendMessageBody = z
  .strictObject({
    session: idInput(
      'session',
      'Session that sends; may be left out when exactly one of the mode is connected.',
    ).optional(),
    to: phoneInput,
    type: z.literal('text').meta({ description: 'Kind of message.', example: 'text' }),
    text: textInput,
    context: z
      .strictObject({
        message_id: idInput(
          'message',
          'Message to reply to: of the same session, and with the same contact.',
        ),
      })
      .optional()
      .meta({ description: 'Makes the message a reply.' }),
    messaging_product: z
      .literal('whatsapp')
      .optional()
      .meta({ description: 'Accepted for Meta compatibility.' }),
    recipient_type: z
      .literal('individual')
      .optional()
      .meta({ description: 'Accepted for Meta compatibility.' }),
  })
  .meta({ id: 'SendMessage', description: "Meta's Cloud API message object plus `session`." });

export const quickSendBody = z
  .strictObject({
    to: phoneInput,
    message: z.string().min(1).max(4096).meta({ description: 'The text to send.', example: 'hi' }),
    session_id: idInput('session', 'Session that sends; may be left out as in `/v1/messages`.').optional(),
  })
  .meta({ id: 'QuickSend', description: 'The two-field way to send a text.' });

const time = z.iso
  .datetime()
  .meta({ description: 'When the step happened (ISO 8601, UTC).', example: '2026-11-21T09:00:00.000Z' });

export const messageView = z
  .object({
    id: z.string().meta({ description: 'Id of the message.', example: 'msg_01h455vb4pex5vsknk084sn02q' }),
    session: z
      .string()
      .meta({ description: 'Session that sends or received it.', example: 'ses_01h455vb4pex5vsknk084sn02q' }),
    mode: z
      .enum(['test', 'live'])
      .meta({ description: '`test` messages go to virtual phones.', example: 'test' }),
    direction: z
      .enum(['outbound', 'inbound'])
      .meta({ description: 'Who wrote it: you or the contact.', example: 'outbound' }),
    status: z.enum(MESSAGE_STATUSES).meta({ description: 'How far it has come.', example: 'queued' }),
    contact: z
      .object({
        phone: z
          .string()
          .nullable()
          .meta({ description: 'E.164 number of the other end, once known.', example: '+919876543210' }),
        lid: z
          .string()
          .nullable()
          .meta({ description: "WhatsApp's own id of the person, once known.", example: '182731923847561' }),
        name: z
          .string()
          .nullable()
          .meta({ description: 'Name the contact chose on WhatsApp.', example: 'Asha' }),
      })
      .meta({ description: 'The other end of the conversation.' }),
    to: z
      .string()
      .nullable()
      .optional()
      .meta({ description: 'Recipient of an outbound message.', example: '+919876543210' }),
    from: z
      .object({
        phone: z
          .string()
          .nullable()
          .meta({ description: 'Digits of the sender’s number.', example: '919876543210' }),
        name: z.string().nullable().meta({ description: 'Sender’s name on WhatsApp.', example: 'Asha' }),
      })
      .optional()
      .meta({ description: 'Sender of an inbound message.' }),
    type: z
      .string()
      .meta({ description: '`text`, or `unsupported` for kinds that are not handled yet.', example: 'text' }),
    text: z
      .object({ body: z.string().meta({ description: 'The text.', example: 'hi' }) })
      .nullable()
      .meta({ description: 'Text content; null for other kinds and after retention removed it.' }),
    context: z
      .object({
        message_id: z
          .string()
          .nullable()
          .meta({ description: 'The message replied to.', example: 'msg_01h455vb4pex5vsknk084sn02q' }),
        whatsapp_id: z
          .string()
          .nullable()
          .meta({ description: "WhatsApp's id of it.", example: '3EB0A1B2C3D4E5F6071829' }),
      })
      .nullable()
      .meta({ description: 'Set on replies.' }),
    automated: z.boolean().meta({ description: 'Whether a trigger wrote it.', example: false }),
    trigger_id: z
      .string()
      .nullable()
      .meta({ description: 'The trigger that wrote it.', example: 'trg_01h455vb4pex5vsknk084sn02q' }),
    error: z
      .object({
        code: z.string().meta({ description: 'Stable code.', example: 'message.recipient_not_on_whatsapp' }),
        detail: z.string().nullable().meta({
          description: 'What happened and what to do.',
          example: 'The recipient is not on WhatsApp.',
        }),
        whatsapp_code: z
          .number()
          .nullable()
          .meta({ description: "WhatsApp's own error number.", example: 463 }),
      })
      .nullable()
      .meta({ description: 'Why the message failed.' }),
    timestamps: z.partialRecord(z.enum(MESSAGE_STATUSES), time).meta({
      description:
        'A time for each step taken. Of an inbound message `sent` is when the contact sent it, by WhatsApp’s clock, and `received` when it reached Pingr: later where the session was away.',
    }),
    whatsapp_id: z
      .string()
      .meta({ description: "WhatsApp's id of the message.", example: '3EB0A1B2C3D4E5F6071829' }),
    created_at: z.iso.datetime().meta({
      description:
        'When Pingr accepted the message, or received it. Lists are in this order, and `since` and `until` go by it.',
      example: '2026-11-21T09:00:00.000Z',
    }),
  })
  .meta({ id: 'Message', description: 'A WhatsApp message.' });

export type MessageView = z.infer<typeof messageView>;

export const quickSendView = z
  .object({
    success: z.literal(true).meta({ description: 'The message is accepted.', example: true }),
    message_id: z
      .string()
      .meta({ description: 'Id of the message.', example: 'msg_01h455vb4pex5vsknk084sn02q' }),
    to: z.string().meta({ description: 'Digits of the recipient.', example: '919876543210' }),
    session_id: z
      .string()
      .meta({ description: 'Session that sends.', example: 'ses_01h455vb4pex5vsknk084sn02q' }),
    rate_limit_remaining: z.int().meta({ description: 'Requests left in this window.', example: 499 }),
  })
  .meta({ id: 'QuickSendResult', description: 'Answer of `POST /v1/send`.' });

export const messageFilter = z.strictObject({
  session: idInput('session', 'Only this session.').optional(),
  contact: phoneInput.optional(),
  direction: z
    .enum(['outbound', 'inbound'])
    .optional()
    .meta({ description: 'Only this direction.', example: 'inbound' }),
  status: z.enum(MESSAGE_STATUSES).optional().meta({ description: 'Only this status.', example: 'failed' }),
  since: timeInput('`created_at` at or after.').optional(),
  until: timeInput('`created_at` before.').optional(),
});
