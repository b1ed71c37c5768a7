import { z } from 'zod';
import { toId } from '../../lib/ids.ts';
import { MODES } from '../../lib/mode.ts';
import { exampleId, idField, timeField } from '../../platform/http/api-fields.ts';
import { ALERT_KINDS, explain, isAboutKey } from './abuse.model.ts';
import type { AlertRow } from './alerts.store.ts';

const EXAMPLE = { address: '203.0.113.7', country: 'BR', known_countries: ['IN'] };

export const alertView = z
  .object({
    id: idField('alert', 'Id of the alert.'),
    mode: z.enum(MODES).meta({ description: 'Mode of the key or session.', example: 'live' }),
    kind: z
      .enum(ALERT_KINDS)
      .meta({ description: 'What was seen. Kinds may be added.', example: 'new_country' }),
    subject: z
      .string()
      .meta({ description: 'The key or session that it is about.', example: exampleId('apiKey') }),
    message: z
      .string()
      .meta({ description: 'What was seen and what to do.', example: explain('new_country', EXAMPLE).what }),
    detail: z
      .looseObject({})
      .meta({ description: 'Numbers, addresses and countries (ISO 3166-1 alpha-2).', example: EXAMPLE }),
    count: z.number().int().meta({ description: 'How often it was seen within a day.', example: 1 }),
    first_at: timeField('When it was first seen.'),
    last_at: timeField('When it was last seen.'),
    restriction: z
      .object({
        factor: z
          .number()
          .meta({ description: 'Part of the usual requests a minute that is accepted.', example: 0.5 }),
        until: timeField('When the usual limit is back, if it is not seen again.'),
      })
      .nullable()
      .meta({ description: 'How limits are tightened because of it; null where they are not.' }),
  })
  .meta({ id: 'Alert', description: 'Something that looks like misuse of the account, or by it.' });

/** A stored alert as the API shows it. */
export function showAlert(row: AlertRow): z.input<typeof alertView> {
  const { what, advice } = explain(row.kind, row.detail);
  const { factor, restricted_until: until } = row;
  return {
    id: toId('alert', row.id),
    mode: row.mode,
    kind: row.kind,
    subject: toId(isAboutKey(row.kind) ? 'apiKey' : 'session', row.subject),
    message: `${what} ${advice}`,
    detail: row.detail,
    count: row.count,
    first_at: row.first_at.toISOString(),
    last_at: row.last_at.toISOString(),
    restriction: factor === null || until === null ? null : { factor, until: until.toISOString() },
  };
}
