import { z } from 'zod';
import { MODES } from '../../lib/mode.ts';
import { idField, idInput, refuseEmptyRange, timeField, timeInput } from '../../platform/http/api-fields.ts';
import { streamQuery } from '../../platform/http/event-stream.ts';
import { pageQuery } from '../../platform/http/page.ts';
import { EVENT_TYPES } from './events.events.ts';
import { parseTypeFilter } from './events.model.ts';

/** The `data` of a message event whose message is gone. */
const removedMessage = z
  .looseObject({
    id: idField('message', 'The message, which is no longer kept.'),
    status: z.string().meta({ description: 'Its status at the time.', example: 'delivered' }),
    error: z
      .looseObject({})
      .nullable()
      .meta({ description: 'Why it failed, as messages show it.', example: null }),
    timestamps: z
      .record(z.string(), z.string())
      .meta({ description: 'When it took this step.', example: { delivered: '2026-11-21T09:00:00.000Z' } }),
  })
  .meta({ id: 'RemovedMessage', description: 'What is left of a message that retention removed.' });

const otherData = z.looseObject({}).meta({
  id: 'OtherEventData',
  description: 'Kinds of events may be added; ignore those that you do not know.',
});

const EVENT_TYPE_NAMES = Object.keys(EVENT_TYPES)
  .map((type) => `\`${type}\``)
  .join(', ');

/** Schemas of the data of events, by type; a key may be a prefix such as `message.*`. */
export type EventData = Readonly<Record<string, z.ZodType>>;

/** An event whose `data` is one of the given objects, a message that is gone, or something newer. */
export function eventView(data: EventData) {
  const names = Object.entries(data).map(([type, schema]) => `\`${type}\`: \`${schema.meta()?.id}\``);
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
      data: z.union([...Object.values(data), removedMessage, otherData]).meta({
        description: `What the event is about. An object of the API is as the API returns it, with its status, times and reason of then and all else as it is now; once it is gone, what is known of it. ${names.join(', ')}.`,
      }),
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

export const eventListQuery = z
  .strictObject({
    ...filter,
    message: idInput('message', 'Only this message.').optional(),
    since: timeInput('Happened at or after.').optional(),
    until: timeInput('Happened before.').optional(),
    ...pageQuery('event'),
  })
  .superRefine(refuseEmptyRange);

export const eventStreamQuery = z.strictObject({ ...filter, ...streamQuery });
