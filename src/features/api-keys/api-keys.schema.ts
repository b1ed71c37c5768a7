import { z } from 'zod';
import { toId } from '../../lib/ids.ts';
import { MODES } from '../../lib/mode.ts';
import { idField, timeField, timeInput } from '../../platform/http/api-fields.ts';
import { parseAddressRange } from './address-ranges.ts';
import { type ApiKeyRow, keyStatus } from './api-keys.model.ts';
import { SCOPES } from './scopes.ts';

const DAY_S = 86_400;

const addressRange = z
  .string()
  .transform((text, context) => {
    const parsed = parseAddressRange(text);
    if (parsed.ok) return parsed.cidr;
    context.addIssue({ code: 'custom', message: parsed.reason });
    return z.NEVER;
  })
  .meta({ description: 'An address, or a network in CIDR form.', example: '203.0.113.0/24' });

export const newApiKeyBody = z
  .strictObject({
    name: z
      .string()
      .trim()
      .min(1)
      .max(100)
      .meta({ description: 'What you call the key.', example: 'billing server' }),
    mode: z
      .enum(MODES)
      .optional()
      .meta({ description: "Mode of the key; the calling key's where left out.", example: 'test' }),
    scopes: z
      .array(z.enum(SCOPES))
      .min(1)
      .optional()
      .meta({
        description: 'What the key may do, at most what the calling key may; all of that where left out.',
        example: ['messages:write', 'messages:read'],
      }),
    expires_at: timeInput(
      'When the key ends; with the calling key where left out, and no later than it.',
    ).optional(),
    allowed_ips: z
      .array(addressRange)
      .min(1)
      .max(50)
      .optional()
      .meta({
        description:
          'Addresses and networks that may use the key; those of the calling key where left out, and none beyond them.',
        example: ['203.0.113.7', '2001:db8::/32'],
      }),
  })
  .meta({ id: 'NewApiKey', description: 'An API key to make.' });

export const rotateBody = z
  .strictObject({
    overlap_seconds: z
      .int()
      .min(0)
      .max(7 * DAY_S)
      .default(DAY_S)
      .meta({
        description: 'How long the old key lives on: up to 7 days (604800), 0 ends it at once.',
        example: DAY_S,
      }),
  })
  .default({ overlap_seconds: DAY_S })
  .meta({ id: 'RotateApiKey', description: 'How to rotate an API key.' });

const keyFields = {
  id: idField('apiKey', 'Id of the key.'),
  name: z.string().meta({ description: 'What you call the key.', example: 'billing server' }),
  mode: z.enum(MODES).meta({ description: 'Mode that the key works in.', example: 'test' }),
  status: z
    .enum(['active', 'revoked', 'expired'])
    .meta({ description: 'Whether the key still works.', example: 'active' }),
  hint: z.string().meta({ description: 'Start of the key, to recognise it by.', example: 'pk_test_4fGh' }),
  scopes: z
    .array(z.string())
    .meta({ description: 'What the key may do; `*` is everything.', example: ['messages:write'] }),
  allowed_ips: z
    .array(z.string())
    .nullable()
    .meta({ description: 'Networks that may use the key; null for all.', example: ['203.0.113.0/24'] }),
  expires_at: timeField('When the key ends; null for never.').nullable(),
  revoked_at: timeField('When the key was revoked.').nullable(),
  rotated_to: idField('apiKey', 'The key that took its place.').nullable(),
  last_used_at: timeField('When the key was last used, to within 15 seconds.').nullable(),
  created_at: timeField('When the key was made.'),
};

export const apiKeyView = z
  .object(keyFields)
  .meta({ id: 'ApiKey', description: 'An API key, without its text.' });

export const issuedKeyView = z
  .object({
    ...keyFields,
    key: z.string().nullable().meta({
      description:
        'The key itself, shown this once. Null when the answer is repeated under an Idempotency-Key; if the first answer was lost, rotate the key.',
      example: 'pk_test_4fGh0q7Zk2Vn8bXw5RtYc1LmPs9DjUaE2xB7Qy',
    }),
  })
  .meta({ id: 'IssuedApiKey', description: 'A new API key.' });

/** A key as the API shows it. */
export function showKey(row: ApiKeyRow, at: Date): z.input<typeof apiKeyView> {
  return {
    id: toId('apiKey', row.id),
    name: row.name,
    mode: row.mode,
    status: keyStatus(row, at),
    hint: row.hint,
    scopes: row.scopes,
    allowed_ips: row.allowed_ips,
    expires_at: row.expires_at?.toISOString() ?? null,
    revoked_at: row.revoked_at?.toISOString() ?? null,
    rotated_to: row.rotated_to && toId('apiKey', row.rotated_to),
    last_used_at: row.last_used_at?.toISOString() ?? null,
    created_at: row.created_at.toISOString(),
  };
}
