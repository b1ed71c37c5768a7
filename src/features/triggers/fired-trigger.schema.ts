import { z } from 'zod';
import { idField } from '../../platform/http/api-fields.ts';

/**
 * The `data` of `trigger.fired`.
 * @param message schema of a message as the API shows it, from its slice
 */
export function firedTriggerData(message: z.ZodType) {
  return z
    .object({
      trigger_id: idField('trigger', 'The trigger.'),
      name: z.string().meta({ description: 'Its name then.', example: 'login' }),
      code: z.string().nullable().meta({
        description: 'The one-time code in the reply; null where the reply had none.',
        example: '482913',
      }),
      message_id: idField('message', 'The message that it fired at.'),
      reply_message_id: idField('message', 'The reply, which is on its way.').nullable(),
      reply_error: z
        .object({
          code: z.string().meta({ description: 'Stable code.', example: 'message.session_not_linked' }),
          detail: z.string().meta({ description: 'What happened.', example: 'The session is logged_out.' }),
        })
        .nullable()
        .meta({ description: 'Why there is no reply, or only the fallback.', example: null }),
      from: z
        .object({
          phone: z
            .string()
            .nullable()
            .meta({ description: 'Digits of the number.', example: '919876543210' }),
          name: z.string().nullable().meta({ description: 'Name on WhatsApp.', example: 'Asha' }),
        })
        .nullable()
        .meta({ description: 'Who wrote; null once the message is no longer kept.' }),
      message: message.nullable().meta({ description: 'The message; null once it is no longer kept.' }),
    })
    .meta({ id: 'FiredTrigger', description: 'A trigger that fired at a received message.' });
}
