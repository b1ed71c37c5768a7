import { z } from 'zod';
import { toId } from '../../lib/ids.ts';
import { idField, timeField } from '../../platform/http/api-fields.ts';
import type { Closure } from './closures.service.ts';
import type { ExportRow } from './exports.store.ts';

export const closeBody = z
  .strictObject({
    confirm: z.string().max(200).meta({ description: 'The exact name of the account.', example: 'Acme' }),
  })
  .meta({ id: 'AccountDeletion', description: 'Says that this account is meant.' });

export const closureView = z
  .object({
    id: idField('accountClosure', 'Receipt of the deletion.'),
    requested_at: timeField('When the account was closed.'),
    erase_at: timeField('When erasing begins; until then its owners can restore the account.'),
    restore_token: z.string().nullable().meta({
      description:
        'What `POST /v1/account/restore` takes, where the account has neither owners nor an address to which a link could be mailed; else null. Shown this once.',
      example: null,
    }),
  })
  .meta({ id: 'AccountClosure', description: 'An account that is closed and will be erased.' });

export function showClosure(closure: Closure): z.input<typeof closureView> {
  return {
    id: toId('accountClosure', closure.id),
    requested_at: closure.requestedAt.toISOString(),
    erase_at: closure.eraseAt.toISOString(),
    restore_token: closure.restoreToken ?? null,
  };
}

export const exportView = z
  .object({
    id: idField('accountExport', 'Id of the export.'),
    status: z
      .enum(['queued', 'running', 'ready', 'failed', 'expired'])
      .meta({ description: 'How far it is. `expired`: the archive has been removed.', example: 'ready' }),
    progress: z
      .object({
        parts_done: z.number().int().meta({ description: 'Kinds of rows and files written.', example: 14 }),
        parts_total: z
          .number()
          .int()
          .nullable()
          .meta({ description: 'Of how many; null until known.', example: 14 }),
        rows_done: z.number().int().meta({ description: 'Rows written.', example: 1204 }),
      })
      .meta({ description: 'What has been written so far.' }),
    bytes: z
      .number()
      .int()
      .nullable()
      .meta({ description: 'Size of the archive, once ready.', example: 48211 }),
    url: z.string().nullable().meta({
      description: 'Downloads the archive, for an hour from now. In answers for one export that is ready.',
      example: null,
    }),
    created_at: timeField('When it was asked for.'),
    finished_at: timeField('When it was ready or had failed.').nullable(),
    expires_at: timeField('When the archive is removed.').nullable(),
  })
  .meta({ id: 'AccountExport', description: 'An archive of everything that the account has.' });

export function showExport(row: ExportRow, url: string | null = null): z.input<typeof exportView> {
  return {
    id: toId('accountExport', row.id),
    status: row.status,
    progress: {
      parts_done: row.parts_done,
      parts_total: row.parts_total,
      rows_done: Number(row.rows_done),
    },
    bytes: row.bytes === null ? null : Number(row.bytes),
    url,
    created_at: row.created_at.toISOString(),
    finished_at: row.finished_at?.toISOString() ?? null,
    expires_at: row.expires_at?.toISOString() ?? null,
  };
}
