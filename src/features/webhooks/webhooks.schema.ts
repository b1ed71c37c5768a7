import { z } from 'zod';
import { MODES } from '../../lib/mode.ts';
import { idField, idInput, timeField } from '../../platform/http/api-fields.ts';
import { headerProblems } from './custom-headers.ts';
import { isEventPattern, UNKNOWN_EVENT_TYPE } from './event-types.ts';

const DAY_S = 86_400;
const EXAMPLE_URL = 'https://example.com/webhooks/pingr';
const EXAMPLE_SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

const url = z
  .string()
  .max(2048)
  .superRefine((text, context) => {
    const detail = urlProblem(text);
    if (detail !== undefined) context.addIssue({ code: 'custom', message: detail });
  })
  .meta({
    description:
      'Where events are sent by POST: a public address, in live mode https. Redirects are not followed.',
    example: EXAMPLE_URL,
  });

function urlProblem(text: string): string | undefined {
  const parsed = URL.parse(text);
  if (parsed === null || !['http:', 'https:'].includes(parsed.protocol)) {
    return 'must be a URL such as https://example.com/webhooks/pingr';
  }
  if (parsed.username !== '' || parsed.password !== '') {
    return 'must not hold credentials; send them in `headers`';
  }
  return undefined;
}

const description = z
  .string()
  .trim()
  .max(500)
  .meta({ description: 'What the endpoint is for.', example: 'Orders, production' });

const events = z
  .array(z.string().refine(isEventPattern, UNKNOWN_EVENT_TYPE))
  .min(1)
  .max(50)
  .meta({
    description:
      'Types of events to send: names, `*` for all, or prefixes such as `message.*`. Nobody gets what they may not see themselves: naming events about payment takes `billing:read`, those about webhook endpoints `webhooks:read`, and the `*` of a caller without one of these is stored as the types that they may see.',
    example: ['message.*', 'session.status'],
  });

const sessions = z
  .array(idInput('session', 'A session.'))
  .min(1)
  .max(500)
  .nullable()
  .meta({
    description: 'Only events of these sessions; null for all sessions and for events that belong to none.',
    example: ['ses_01h455vb4pex5vsknk084sn02q'],
  });

const headers = z
  .record(z.string(), z.string())
  .superRefine((value, context) => {
    for (const { name, detail } of headerProblems(value)) {
      context.addIssue({ code: 'custom', message: detail, path: name === undefined ? [] : [name] });
    }
  })
  .meta({
    description:
      'Headers of your own to send along, up to 20 with 8,000 characters together. Not those that Pingr sets (`webhook-…`, `x-pingr-…`, `content-type`, `host` and the like).',
    example: { authorization: 'Bearer 7d1f0c2b9a' },
  });

const enabled = z.boolean().meta({ description: 'Whether events are sent.', example: true });

const ownSecret = z.string().refine(isSecret, 'must be `whsec_` and the base64 of 24 to 64 bytes').meta({
  description:
    'A secret of your own: `whsec_` and the base64 of 24 to 64 random bytes. Made for you where left out.',
  example: EXAMPLE_SECRET,
});

function isSecret(text: string): boolean {
  if (!text.startsWith('whsec_')) return false;
  const base64 = text.slice('whsec_'.length);
  const bytes = Buffer.from(base64, 'base64');
  return bytes.length >= 24 && bytes.length <= 64 && bytes.toString('base64') === base64;
}

export const newEndpointBody = z
  .strictObject({
    url,
    description: description.nullable().default(null),
    events: events.default(['*']),
    sessions: sessions.default(null),
    headers: headers.default({}),
    enabled: enabled.default(true),
    secret: ownSecret.optional(),
  })
  .meta({ id: 'NewWebhookEndpoint', description: 'A webhook endpoint to create.' });

export const endpointChangeBody = z
  .strictObject({
    url,
    description: description.nullable(),
    events,
    sessions,
    headers: headers.meta({
      description:
        'Takes the place of all headers. A value sent back masked, as it was shown, keeps the stored one.',
      example: { authorization: '****2b9a' },
    }),
    enabled: enabled.meta({
      description:
        'Enabling clears `disabled_reason`, `failing_since` and `resting_until`, and sends what waits at once. Events that happen while an endpoint is disabled, by you or by Pingr, are not kept for it: bring them with a replay, `include_missing` and the `disabled_at` in this answer as `since`.',
      example: true,
    }),
  })
  .partial()
  .meta({ id: 'WebhookEndpointChange', description: 'What to change about a webhook endpoint.' });

export const rotateSecretBody = z
  .strictObject({
    overlap_seconds: z
      .int()
      .min(0)
      .max(7 * DAY_S)
      .default(DAY_S)
      .meta({
        description:
          'How long the old secret signs beside the new one: up to 7 days (604800), 0 ends it at once.',
        example: DAY_S,
      }),
    secret: ownSecret.optional(),
  })
  .default({ overlap_seconds: DAY_S })
  .meta({ id: 'RotateWebhookSecret', description: 'How to rotate the secret of a webhook endpoint.' });

const endpointFields = {
  id: idField('webhookEndpoint', 'Id of the endpoint.'),
  mode: z.enum(MODES).meta({ description: 'Mode whose events it gets.', example: 'test' }),
  url: z.string().meta({ description: 'Where events are sent.', example: EXAMPLE_URL }),
  description: z
    .string()
    .nullable()
    .meta({ description: 'What the endpoint is for.', example: 'Orders, production' }),
  events: z
    .array(z.string())
    .meta({ description: 'Types of events that it gets.', example: ['message.*', 'session.status'] }),
  sessions: z
    .array(idField('session', 'A session.'))
    .nullable()
    .meta({ description: 'Sessions whose events it gets; null for all.', example: null }),
  headers: z.record(z.string(), z.string()).meta({
    description:
      'Your own headers. Values are shown masked: the last four characters, or nothing of short ones.',
    example: { authorization: '****2b9a' },
  }),
  enabled,
  disabled_reason: z.enum(['gone', 'failing']).nullable().meta({
    description:
      'Why Pingr switched it off: the receiver answered 410 (`gone`), or every attempt of five days failed (`failing`). Null where you did.',
    example: null,
  }),
  disabled_at: timeField(
    'When it was last disabled; stays after it was enabled, as `since` for a replay of what it missed.',
  ).nullable(),
  failing_since: timeField(
    'Since when every attempt has failed; null while all is well. A failure more than a day after the last one begins anew.',
  ).nullable(),
  resting_until: timeField(
    'Until when it gets nothing because your server asked for rest (429 or 503 with `Retry-After`); null where it does not rest. Enabling, another URL and a replay end the rest; a test goes out in spite of it.',
  ).nullable(),
  previous_secret_until: timeField(
    'Until when the secret before the last rotation signs as well; null where it does not.',
  ).nullable(),
  created_at: timeField('When it was created.'),
  updated_at: timeField('When you last changed it, or Pingr disabled it.'),
};

export const endpointView = z
  .object(endpointFields)
  .meta({ id: 'WebhookEndpoint', description: 'Where events are sent.' });

export type EndpointView = z.input<typeof endpointView>;

const backlog = (description: string) => z.int().meta({ description, example: 0 });

export const endpointDetailView = z
  .object({
    ...endpointFields,
    deliveries: z
      .object({
        pending: backlog('Waiting for their time or for the endpoint; counted up to 1,000.'),
        failed: backlog('Given up and not replayed; counted up to 1,000.'),
      })
      .meta({ description: 'What is not delivered.' }),
  })
  .meta({ id: 'WebhookEndpointDetail', description: 'A webhook endpoint with its backlog.' });

export const endpointWithSecretView = z
  .object({
    ...endpointFields,
    secret: z.string().nullable().meta({
      description:
        'What deliveries are signed with. Null when the answer is repeated under an Idempotency-Key; `GET /v1/webhook-endpoints/:id/secret` shows it again.',
      example: EXAMPLE_SECRET,
    }),
  })
  .meta({ id: 'WebhookEndpointWithSecret', description: 'A webhook endpoint and its secret.' });

export const secretView = z
  .object({
    secret: z.string().meta({ description: 'What deliveries are signed with.', example: EXAMPLE_SECRET }),
    previous_secret: z.string().nullable().meta({
      description: 'The secret before the last rotation, while it signs as well.',
      example: null,
    }),
    previous_secret_until: timeField('Until when it does.').nullable(),
  })
  .meta({ id: 'WebhookSecret', description: 'The secrets of a webhook endpoint.' });
