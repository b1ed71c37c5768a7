import { isIP } from 'node:net';
import { z } from 'zod';
import { toId } from '../../lib/ids.ts';
import { idField, idInput, timeField, timeInput } from '../../platform/http/api-fields.ts';
import type { ActivityRow } from './activity.model.ts';
import type { ActivityFilter } from './activity.store.ts';

const statusInput = z
  .string()
  .regex(/^([1-5]\d\d|[1-5]xx)$/, 'must be an HTTP status such as 404, or a class of them such as 4xx')
  .transform((text) => ({ from: Number(text.replace('xx', '00')), to: Number(text.replace('xx', '99')) }))
  .meta({ description: 'Only this HTTP status, or a class of them.', example: '4xx' });

const addressInput = z
  .string()
  .refine((text) => isIP(text) !== 0 && !text.includes('%'), 'is not an IP address')
  .meta({ description: 'Only from this address.', example: '203.0.113.7' });

const text = (description: string, example: string) =>
  z.string().min(1).max(200).meta({ description, example }).optional();

export const activityFilter = {
  method: z
    .enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'])
    .optional()
    .meta({ description: 'Only this method.', example: 'POST' }),
  route: text(
    'Only this route, as the reference writes it but with `:` before parameters.',
    '/v1/messages/:id',
  ),
  status: statusInput.optional(),
  key: idInput('apiKey', 'Only requests with this key.').optional(),
  user: idInput('user', 'Only requests by this signed-in user.').optional(),
  request_id: text('Only this request.', 'req_01h455vb4pex5vsknk084sn02q'),
  error_code: text('Only requests that were answered with this problem.', 'request.invalid'),
  ip: addressInput.optional(),
  since: timeInput('Made at or after; without it from the oldest on, 90 days ago.').optional(),
  until: timeInput('Made before.').optional(),
};

const filterSchema = z.object(activityFilter);

/** A route's filter in the words of the store. */
export function toActivityFilter(query: z.output<typeof filterSchema>): ActivityFilter {
  const { key: keyId, user: userId, request_id: requestId, error_code: errorCode, ...same } = query;
  return { ...same, keyId, userId, requestId, errorCode };
}

export const activityView = z
  .object({
    id: idField('activity', 'Id of the entry.'),
    at: timeField('When the request was over.'),
    request_id: z
      .string()
      .meta({ description: 'The `x-request-id` of its answer.', example: 'req_01h455vb4pex5vsknk084sn02q' }),
    method: z.string().meta({ description: 'HTTP method.', example: 'POST' }),
    route: z
      .string()
      .meta({ description: 'The route, with names in place of ids.', example: '/v1/messages' }),
    status: z.int().meta({ description: 'HTTP status of the answer.', example: 202 }),
    duration_ms: z.number().meta({ description: 'Time to answer, in milliseconds.', example: 4.2 }),
    key: idField('apiKey', 'The key that was used; null for a signed-in user.').nullable(),
    user: idField('user', 'The signed-in user; null for a key.').nullable(),
    ip: z
      .string()
      .nullable()
      .meta({ description: "The caller's address, where it was one.", example: '203.0.113.7' }),
    user_agent: z
      .string()
      .nullable()
      .meta({ description: 'What the caller said it is, up to 300 characters.', example: 'my-shop/1.4' }),
    error_code: z
      .string()
      .nullable()
      .meta({ description: 'Code of the problem that it was answered with.', example: null }),
  })
  .meta({ id: 'ActivityEntry', description: 'An API request of the account, without its body and query.' });

export type ActivityView = z.input<typeof activityView>;

export const ACTIVITY_COLUMNS = [
  'id',
  'at',
  'request_id',
  'method',
  'route',
  'status',
  'duration_ms',
  'key',
  'user',
  'ip',
  'user_agent',
  'error_code',
] as const satisfies readonly (keyof ActivityView)[];

/** An entry as the API shows it. */
export function showActivity(row: ActivityRow): ActivityView {
  return {
    id: toId('activity', row.id),
    at: row.at.toISOString(),
    request_id: row.request_id,
    method: row.method,
    route: row.route,
    status: row.status,
    duration_ms: Math.round(row.duration_ms * 100) / 100,
    key: row.key_id && toId('apiKey', row.key_id),
    user: row.user_id && toId('user', row.user_id),
    ip: row.ip,
    user_agent: row.user_agent,
    error_code: row.error_code,
  };
}
