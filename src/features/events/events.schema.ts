import { z } from 'zod';
import { MODES } from '../../lib/mode.ts';
import { idField, idInput, timeField, timeInput } from '../../platform/http/api-fields.ts';
import { streamQuery } from '../../platform/http/event-stream.ts';
import { pageQuery } from '../../platform/http/page.ts';
import { EVENT_TYPES } from './events.events.ts';
import { parseTypeFilter } from './events.model.ts';

/** The `data` of `session.status`. */
export const sessionStatusData = z
  .object({
    id: idField('session', 'The session.'),
    status: z.string().meta({ description: 'Its status now.', example: 'connected' }),
    phone: z.string().nullable().meta({ description: 'Its number, once linked.', example: '+919876543210' }),
    code: z.string().nullable().meta({ description: 'Why, as a stable code.', example: 'session.timed_out' }),
    detail: z.string().nullable().meta({ description: 'Why, and what to do.', example: 'Reconnecting.' }),
  })
  .meta({ id: 'SessionStatus', description: 'A session whose status changed.' });

/** The `data` of a message event whose message is gone. */
const removedMessage = z
  .object({
    id: idField('message', 'The message, which is no longer kept.'),
    status: z.string().meta({ description: 'Its status at the time.', example: 'delivered' }),
  })
  .meta({ id: 'RemovedMessage', description: 'What is left of a message that retention removed.' });

const otherData = z.looseObject({}).meta({
  id: 'OtherEventData',
  description: 'Kinds of events may be added; ignore those that you do not know.',
});

const EVENT_TYPE_NAMES = Object.keys(EVENT_TYPES)
  .map((type) => `\`${type}\``)
  .join(', ');

/** An event whose `data` is one of the given objects, a message that is gone, or something newer. */
export function eventView(data: readonly z.ZodType[]) {
  return z
    .object({
      id: idField('event', 'Id of the event.'),
      type: z.string().meta({
        description: `What happened: ${EVENT_TYPE_NAMES}. More may be added.`,
        example: 'message.delivered',
      }),
      created_at: timeField('When it happened.'),
      mode: z.enum(MODES).meta({ description: 'Mode that it happened in.', example: 'test' }),
      session_id: idField('session', 'The session it belongs to.').nullable(),
      data: z
        .union([...data, removedMessage, otherData])
        .meta({ description: 'What the event is about, as it was then.' }),
    })
    .meta({ id: 'Event', description: 'Something that happened.' });
}

const typeFilter = z
  .string()
  .max(500)
  .transform((text, context) => {
    const parsed = parseTypeFilter(text);
    if (parsed !== undefined) return parsed;
    context.addIssue({
      code: 'custom',
      message: 'must be types such as message.read or message.*, with commas',
    });
    return z.NEVER;
  })
  .meta({
    description: 'Only these types; `message.*` is all about messages.',
    example: 'message.*,session.status',
  });

const filter = {
  type: typeFilter.optional(),
  session: idInput('session', 'Only this session.').optional(),
};

export const eventListQuery = z.strictObject({
  ...filter,
  message: idInput('message', 'Only this message.').optional(),
  since: timeInput('Happened at or after.').optional(),
  until: timeInput('Happened before.').optional(),
  ...pageQuery('event'),
});

export const eventStreamQuery = z.strictObject({ ...filter, ...streamQuery });
