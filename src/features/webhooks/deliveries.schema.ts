import { z } from 'zod';
import { idField, refuseEmptyRange, timeField, timeInput } from '../../platform/http/api-fields.ts';
import { pageQuery } from '../../platform/http/page.ts';
import { ATTEMPT_OUTCOMES, DELIVERY_STATUSES } from './deliveries.model.ts';
import { EVENT_TYPE_NAMES, isEventPattern, UNKNOWN_EVENT_TYPE } from './event-types.ts';

const typeFilter = z
  .string()
  .max(500)
  .transform((text) => text.split(',').map((part) => part.trim()))
  .refine((types) => types.every(isEventPattern), UNKNOWN_EVENT_TYPE)
  .meta({
    description: 'Only these types of events, with commas; `message.*` is all about messages.',
    example: 'message.received',
  });

export const deliveryListQuery = z
  .strictObject({
    status: z
      .enum(DELIVERY_STATUSES)
      .optional()
      .meta({ description: 'Only this status; `failed` are the dead letters.', example: 'failed' }),
    type: typeFilter.optional(),
    since: timeInput('Events that happened at or after.').optional(),
    until: timeInput('Events that happened before.').optional(),
    ...pageQuery('delivery'),
  })
  .superRefine(refuseEmptyRange);

const deliveryFields = {
  id: idField('delivery', 'Id of the delivery.'),
  endpoint_id: idField('webhookEndpoint', 'The endpoint that it is for.'),
  event_id: idField('event', 'The event; sent as `webhook-id`, the same in retries and replays.'),
  event_type: z.string().meta({ description: 'Type of the event.', example: 'message.received' }),
  event_at: timeField('When the event happened.'),
  session_id: idField('session', 'The session that the event belongs to.').nullable(),
  message_id: idField('message', 'The message that the event is about.').nullable(),
  sample: z
    .boolean()
    .meta({ description: 'Whether it is a sample that you asked for; nothing happened.', example: false }),
  status: z.enum(DELIVERY_STATUSES).meta({
    description:
      '`pending`: waits for its time, or for a disabled endpoint. `sending`: on its way. `delivered`: answered with 2xx. `failed`: all tries are used up; can be replayed. `cancelled`: the endpoint was deleted before.',
    example: 'delivered',
  }),
  attempt_count: z.int().meta({ description: 'Attempts so far, with those before a replay.', example: 1 }),
  next_attempt_at: timeField(
    'When it is tried next, not before `resting_until` of the endpoint; null where it is not waiting.',
  ).nullable(),
  finished_at: timeField('When it was delivered, given up or cancelled.').nullable(),
  last_status_code: z
    .int()
    .nullable()
    .meta({ description: 'HTTP status of the last attempt that got one.', example: 200 }),
  last_error: z
    .string()
    .nullable()
    .meta({ description: 'What went wrong with the last attempt, as a stable word.', example: null }),
  created_at: timeField('When the delivery was made.'),
};

export const deliveryView = z
  .object(deliveryFields)
  .meta({ id: 'WebhookDelivery', description: 'One event for one endpoint.' });

export type DeliveryView = z.input<typeof deliveryView>;

const attemptView = z
  .object({
    id: idField('attempt', 'Id of the attempt.'),
    number: z.int().meta({ description: 'First, second, …', example: 1 }),
    started_at: timeField('When it began.'),
    duration_ms: z
      .int()
      .nullable()
      .meta({ description: 'How long it took; null while it runs.', example: 84 }),
    outcome: z.enum(ATTEMPT_OUTCOMES).nullable().meta({
      description:
        '`succeeded`, `failed`, or `interrupted`: the worker ended before it knew, and the request may have arrived. Null while it runs.',
      example: 'succeeded',
    }),
    status_code: z
      .int()
      .nullable()
      .meta({ description: 'HTTP status that your server answered with.', example: 200 }),
    error: z.string().nullable().meta({
      description: 'What went wrong, as a stable word such as `status`, `timeout` or `blocked_address`.',
      example: null,
    }),
    response: z
      .string()
      .nullable()
      .meta({ description: 'First 4 KB of what your server answered, as text.', example: 'ok' }),
  })
  .meta({ id: 'WebhookAttempt', description: 'One try of a delivery.' });

export type AttemptView = z.input<typeof attemptView>;

export const deliveryDetailView = z
  .object({
    ...deliveryFields,
    attempts: z.array(attemptView).meta({ description: 'The latest 100 attempts, in order.' }),
    payload: z.looseObject({}).nullable().meta({
      description:
        'What is sent. Null where the event is no longer kept, or the key lacks `events:read`: events hold the content of messages.',
      example: null,
    }),
  })
  .meta({ id: 'WebhookDeliveryDetail', description: 'A delivery with its attempts.' });

export const testBody = z
  .strictObject({
    type: z.enum(EVENT_TYPE_NAMES).meta({
      description: 'Type of the sample; the endpoint need not be interested in it.',
      example: 'message.received',
    }),
  })
  .meta({ id: 'WebhookTest', description: 'Which sample to send.' });

export const replayBody = z
  .strictObject({
    since: timeInput('Events that happened at or after; all that are kept where left out.').optional(),
    until: timeInput('Events that happened before; up to now where left out.').optional(),
    status: z.enum(['failed', 'all']).default('failed').meta({
      description:
        'Which deliveries start again: those that `failed`, or `all`, delivered and cancelled ones too. Those that wait for a later try are due now in either case.',
      example: 'failed',
    }),
    include_missing: z.boolean().default(false).meta({
      description:
        'Also events that the endpoint wants and has no delivery of, because it was disabled or did not exist yet. Needs `since`, such as `disabled_at` of the endpoint. Events that are older than the deliveries that are kept count as missing.',
      example: false,
    }),
  })
  .superRefine((body, context) => {
    if (body.include_missing && body.since === undefined) {
      context.addIssue({ code: 'custom', path: ['since'], message: 'is required with include_missing' });
    }
    if (body.since !== undefined && body.until !== undefined && body.since >= body.until) {
      context.addIssue({ code: 'custom', path: ['until'], message: 'must be after since' });
    }
  })
  .default({ status: 'failed', include_missing: false })
  .meta({ id: 'WebhookReplay', description: 'What to send again.' });

const count = (description: string) => z.int().meta({ description, example: 3 });

export const replayView = z
  .object({
    replayed: count('Finished deliveries that start again from their first try.'),
    hurried: count('Deliveries that waited for a later try and are due now.'),
    created: count('New deliveries, of events that had none.'),
  })
  .meta({ id: 'WebhookReplayResult', description: 'What will be sent again.' });

export const eventTypesView = z
  .object({
    data: z
      .array(
        z
          .object({
            type: z.enum(EVENT_TYPE_NAMES).meta({ description: 'Its name.', example: 'message.received' }),
            description: z
              .string()
              .meta({ description: 'What happened.', example: 'Somebody wrote to a session.' }),
            scope: z.string().nullable().meta({
              description: 'The scope that seeing them needs beside `events:read`; null for none.',
              example: null,
            }),
            sample: z
              .looseObject({})
              .meta({ description: 'What is sent by POST …/test, marked by `"sample": true`.' }),
          })
          .meta({ id: 'EventType', description: 'A type of event.' }),
      )
      .meta({ description: 'Every type there is.' }),
  })
  .meta({ id: 'EventTypeList', description: 'Types of events.' });
