import { z } from 'zod';
import { MODES } from '../../lib/mode.ts';
import { idInput, timeField, timeInput, timeZoneInput } from '../../platform/http/api-fields.ts';
import { BUCKETS, type CountedStatus, GROUPS, isCountedStatus, METRICS, type Range } from './usage.model.ts';
import type { SeriesQuery } from './usage.service.ts';

const isStatus = (text: string) => isCountedStatus(text) || /^[1-5]\d\d$/.test(text);

const filter = {
  session: idInput('session', 'Only messages of this session; requests belong to none.').optional(),
  key: idInput('apiKey', 'Only requests with this key; messages belong to none.').optional(),
  user: idInput('user', 'Only requests by this signed-in user; messages belong to none.').optional(),
  since: timeInput(
    'From this time on, in steps of 15 minutes; where left out, 30 days before `until`.',
  ).optional(),
  until: timeInput('Up to this time, in steps of 15 minutes; now where left out.').optional(),
};

export const summaryQuery = z.strictObject(filter);

export const seriesFields = {
  ...filter,
  since: timeInput(
    'From this time on, in steps of 15 minutes; where left out, one day (hours), 30 days (days) or a year (months) before `until`.',
  ).optional(),
  metric: z.enum(METRICS).default('messages').meta({
    description: '`messages` by what they came to, or API `requests`.',
    example: 'messages',
  }),
  bucket: z.enum(BUCKETS).default('day').meta({
    description: 'Length of a bucket. Hours for 31 days at most, days for 400, months for ten years.',
    example: 'day',
  }),
  time_zone: timeZoneInput('is not the name of a time zone, such as Asia/Kolkata')
    .default('UTC')
    .meta({ description: 'Whose days and months (IANA name).', example: 'Asia/Kolkata' }),
  group_by: z
    .enum(GROUPS)
    .optional()
    .meta({ description: 'Sets the counts of each bucket apart.', example: 'status' }),
  status: z.string().refine(isStatus, 'is no status of messages, and no HTTP status').optional().meta({
    description:
      'Only this status: of messages such as `sent`, of requests such as `404`. Without it every message is counted once, when it is accepted or received.',
    example: 'sent',
  }),
};

const seriesQuery = z.object(seriesFields);

/** What each of the two has and the other has not, by parameter. */
const ONLY_OF = {
  session: { metric: 'messages', why: 'is about messages; requests belong to no session' },
  key: { metric: 'requests', why: 'is about requests; messages belong to no key' },
  user: { metric: 'requests', why: 'is about requests; messages belong to no user' },
} as const;

/** Refuses filters by which nothing can be counted; for `superRefine`. */
export function refuseMismatch(query: z.output<typeof seriesQuery>, context: z.core.$RefinementCtx): void {
  const { metric, status } = query;
  const refuse = (name: string, message: string) =>
    context.addIssue({ code: 'custom', path: [name], message });
  if (status !== undefined && (metric === 'messages') !== isCountedStatus(status)) {
    refuse('status', metric === 'messages' ? 'is no status of messages' : 'is no HTTP status');
  }
  for (const name of ['session', 'key', 'user'] as const) {
    const { metric: only, why } = ONLY_OF[name];
    if (query[name] !== undefined && metric !== only) refuse(name, why);
  }
}

/** A series' query in the words of the service. */
export function toSeriesQuery(query: z.output<typeof seriesQuery>, range: Range): SeriesQuery {
  const {
    metric,
    bucket,
    status,
    time_zone: zone,
    group_by: groupBy,
    session: sessionId,
    key: keyId,
    user: userId,
  } = query;
  return { ...range, metric, bucket, zone, groupBy, sessionId, keyId, userId, status };
}

const count = (description: string) => z.int().meta({ description, example: 42 });
const since = timeField('Start of the range.');
const until = timeField('End of the range, not included.');

const MESSAGE_COUNTS = {
  queued: count('Accepted for sending: what plans are metered by.'),
  sent: count('Taken by WhatsApp, those written on the phone itself included.'),
  delivered: count('Arrived at the recipient’s phone.'),
  read: count('Read.'),
  played: count('Voice and video messages that were played.'),
  failed: count('Failed for good.'),
  received: count('Received.'),
} satisfies Record<CountedStatus, z.ZodInt>;

export const summaryView = z
  .object({
    since,
    until,
    mode: z.enum(MODES).meta({ description: 'Mode that was counted.', example: 'test' }),
    messages: z.object(MESSAGE_COUNTS).meta({
      description: 'Messages by the statuses that they came to in the range, each counted once a status.',
    }),
    requests: z
      .object({
        total: count('API requests.'),
        succeeded: count('Answered with a status below 400.'),
        failed: count('Answered with a status of 400 or above.'),
        by_status: z
          .record(z.string(), z.int())
          .meta({ description: 'Requests by HTTP status.', example: { 200: 40, 404: 2 } }),
      })
      .meta({ description: 'API requests.' }),
  })
  .meta({ id: 'UsageSummary', description: 'What was used in a range of time.' });

const bucketView = z.object({
  start: timeField('Start of the bucket.'),
  end: timeField('End of the bucket, not included.'),
  count: count(
    'Count of the bucket. Messages in groups of a status are in it once, as `queued` or `received`.',
  ),
  groups: z
    .array(
      z.object({
        value: z.string().nullable().meta({ description: 'Status or id; null for none.', example: 'sent' }),
        count: count('Count of the group.'),
      }),
    )
    .optional()
    .meta({ description: 'With `group_by`: the groups that are not empty, largest first.' }),
});

export const seriesView = z
  .object({
    metric: z.enum(METRICS).meta({ description: 'What is counted.', example: 'messages' }),
    bucket: z.enum(BUCKETS).meta({ description: 'Length of a bucket.', example: 'day' }),
    time_zone: z.string().meta({ description: 'Whose days and months.', example: 'Asia/Kolkata' }),
    group_by: z.enum(GROUPS).nullable().meta({ description: 'What the groups are.', example: 'status' }),
    since,
    until,
    total: count('Sum of all buckets.'),
    data: z.array(bucketView).meta({
      description: 'Every bucket of the range, oldest first; the first and last are cut to the range.',
    }),
  })
  .meta({ id: 'UsageSeries', description: 'Counts over time.' });
