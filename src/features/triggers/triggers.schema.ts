import { z } from 'zod';
import { MODES } from '../../lib/mode.ts';
import { idField, idInput, timeField, timeZoneInput } from '../../platform/http/api-fields.ts';
import { MATCHES } from './match-text.ts';
import { LONGEST_TEXT, unknownVariables, VARIABLES } from './render-reply.ts';

const MONTH_S = 30 * 86_400;
const EXAMPLE_SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const VARIABLE_LIST = VARIABLES.map((name) => `\`{{${name}}}\``).join(', ');

const template = z
  .string()
  .min(1)
  .max(LONGEST_TEXT)
  .superRefine((text, context) => {
    for (const name of unknownVariables(text)) {
      const message = `has an unknown variable {{${name}}}; there are ${VARIABLE_LIST}`;
      context.addIssue({ code: 'custom', message });
    }
  });

const time = (pattern: RegExp, description: string, example: string) =>
  z.string().regex(pattern, 'must be a time such as 09:30').meta({ description, example });

const activeHours = z
  .strictObject({
    time_zone: timeZoneInput('is no time zone; use an IANA name such as Asia/Kolkata').meta({
      description:
        'IANA name of the time zone. Upper and lower case do not matter; it is kept as IANA spells it. Other names of a zone, such as `Asia/Calcutta`, are kept as they are.',
      example: 'Asia/Kolkata',
    }),
    days: z
      .array(z.int().min(1).max(7))
      .min(1)
      .max(7)
      .default([1, 2, 3, 4, 5, 6, 7])
      .transform((days) => [...new Set(days)].toSorted((a, b) => a - b))
      .meta({
        description: 'Days on which the hours begin: 1 is Monday, 7 Sunday.',
        example: [1, 2, 3, 4, 5],
      }),
    from: time(/^([01]\d|2[0-3]):[0-5]\d$/, 'When they begin, by the clock there.', '09:00'),
    to: time(
      /^(([01]\d|2[0-3]):[0-5]\d|24:00)$/,
      'When they end; where that is not after `from`, on the next day.',
      '18:00',
    ),
  })
  .meta({ id: 'ActiveHours', description: 'Hours of the day in a place.' });

/** Fields that are said and shown alike. */
const fields = {
  name: z
    .string()
    .trim()
    .min(1)
    .max(100)
    .meta({ description: 'What you call it; events carry it too.', example: 'login' }),
  match: z.enum(MATCHES).meta({
    description:
      'How `pattern` is compared with the text: as a whole, as its beginning, anywhere in it, as a regular expression (RE2 syntax, anywhere in it), or not at all: `any` takes every message, also those without text. Only the first 4,096 characters of a text are looked at, and a longer one is no `exact` match. A regular expression that comes to more than 146 of its engine’s 500 instructions (about one a character, times what stands in `{…}`) looks at fewer, 1,200 at least. Of more than 30 combining marks on one letter, 30 count.',
    example: 'exact',
  }),
  pattern: z
    .string()
    .min(1)
    .max(500)
    .nullable()
    .meta({ description: 'What to look for; null for `any`.', example: 'login' }),
  fold_case: z
    .boolean()
    .meta({ description: 'Whether upper and lower case count as the same.', example: true }),
  fold_accents: z
    .boolean()
    .meta({ description: 'Whether letters count as the same with and without accents.', example: true }),
  reply: template.nullable().meta({
    description: `Text to answer, with ${VARIABLE_LIST}: the sender's number in digits, their name on WhatsApp, what they wrote, today's date (YYYY-MM-DD, in the zone of \`active_hours\` or else UTC), and a new six-digit code that the event has too. Null without \`reply_url\` only raises the event.`,
    example: 'Tap to sign in: https://example.com/login?phone={{phone}}&code={{code}}',
  }),
  reply_url: z.string().max(2048).nullable().meta({
    description:
      'A server of yours that is asked for the text by a signed POST, in place of `reply`. It has five seconds to answer with `{"reply": "text"}` as JSON, with text/plain, or with 204 for no reply.',
    example: 'https://example.com/pingr/reply',
  }),
  fallback_reply: template.nullable().meta({
    description: 'Text to answer where `reply_url` gives none in time, with variables as in `reply`.',
    example: 'We will be back with you shortly.',
  }),
  priority: z.int().min(-1000).max(1000).meta({
    description: 'Higher is asked first, among equals the older; the first that matches fires.',
    example: 10,
  }),
  cooldown_seconds: z.int().min(0).max(MONTH_S).meta({
    description:
      'After firing, how long it passes over messages of the same sender: up to 30 days (2592000).',
    example: 30,
  }),
  active_hours: activeHours.nullable().meta({ description: 'When it works; null for always.' }),
  include_groups: z
    .boolean()
    .meta({ description: 'Whether messages in groups count. Groups are not received yet.', example: false }),
  max_in_a_row: z.int().min(1).max(50).meta({
    description:
      'Most automated replies (of all triggers) to one sender in a row. A message of yours to them, or an hour without messages, starts afresh.',
    example: 5,
  }),
  enabled: z.boolean().meta({ description: 'Whether it works at all.', example: true }),
};

const sessions = z
  .array(idInput('session', 'A session.'))
  .min(1)
  .max(500)
  .nullable()
  .meta({
    description: 'Sessions whose messages it looks at; null for all.',
    example: ['ses_01h455vb4pex5vsknk084sn02q'],
  });

export const newTriggerBody = z
  .strictObject({
    ...fields,
    sessions: sessions.default(null),
    match: fields.match.default('exact'),
    pattern: fields.pattern.default(null),
    fold_case: fields.fold_case.default(true),
    fold_accents: fields.fold_accents.default(true),
    reply: fields.reply.default(null),
    reply_url: fields.reply_url.default(null),
    fallback_reply: fields.fallback_reply.default(null),
    priority: fields.priority.default(0),
    cooldown_seconds: fields.cooldown_seconds.default(0),
    active_hours: fields.active_hours.default(null),
    include_groups: fields.include_groups.default(false),
    max_in_a_row: fields.max_in_a_row.default(5),
    enabled: fields.enabled.default(true),
  })
  .meta({ id: 'NewTrigger', description: 'A trigger to create.' });

export const triggerChangeBody = z
  .strictObject({ ...fields, sessions })
  .partial()
  .meta({ id: 'TriggerChange', description: 'What to change about a trigger; null takes away.' });

const shownFields = {
  id: idField('trigger', 'Id of the trigger.'),
  mode: z.enum(MODES).meta({ description: 'Mode whose messages it looks at.', example: 'test' }),
  ...fields,
  reply: z.string().nullable().meta({ description: 'Text that it answers.', example: 'Hello {{name}}!' }),
  fallback_reply: z
    .string()
    .nullable()
    .meta({ description: 'Text where `reply_url` gives none in time.', example: null }),
  active_hours: z
    .object({
      time_zone: z.string().meta({ description: 'IANA name.', example: 'Asia/Kolkata' }),
      days: z.array(z.int()).meta({ description: '1 is Monday, 7 Sunday.', example: [1, 2, 3, 4, 5] }),
      from: z.string().meta({ description: 'When they begin.', example: '09:00' }),
      to: z.string().meta({ description: 'When they end.', example: '18:00' }),
    })
    .nullable()
    .meta({ description: 'When it works; null for always.', example: null }),
  sessions: z
    .array(idField('session', 'A session.'))
    .nullable()
    .meta({ description: 'Sessions whose messages it looks at; null for all.', example: null }),
  fired_count: z.int().meta({ description: 'How often it fired.', example: 12 }),
  last_fired_at: timeField('When it last fired.').nullable(),
  created_at: timeField('When it was created.'),
  updated_at: timeField('When you last changed it.'),
};

export const triggerView = z
  .object(shownFields)
  .meta({ id: 'Trigger', description: 'What to do when somebody writes a phrase.' });

export type TriggerView = z.input<typeof triggerView>;

const secret = (more: string) =>
  z
    .string()
    .nullable()
    .meta({
      description: `What questions to \`reply_url\` are signed with, like webhooks; null where there never was such a URL.${more}`,
      example: EXAMPLE_SECRET,
    });

export const triggerWithSecretView = z
  .object({
    ...shownFields,
    secret: secret(
      ' Null, too, when the answer is repeated under an Idempotency-Key; `GET /v1/triggers/:id/secret` shows it again.',
    ),
  })
  .meta({ id: 'TriggerWithSecret', description: 'A trigger and its secret.' });

export const triggerSecretView = z
  .object({ secret: secret('') })
  .meta({ id: 'TriggerSecret', description: 'The secret of a trigger.' });
