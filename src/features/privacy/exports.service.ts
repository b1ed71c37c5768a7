import type { Clock } from '../../lib/clock.ts';
import type { NewUuid } from '../../lib/ids.ts';
import type { Context } from '../../platform/context.ts';
import type { Database } from '../../platform/db/database.ts';
import { bothModes } from '../../platform/db/scope.ts';
import type { Files } from '../../platform/files/files.ts';
import type { Jobs } from '../../platform/jobs/jobs.ts';
import * as store from './exports.store.ts';
import { privacyErrors } from './privacy.errors.ts';
import { exportQueue } from './privacy.jobs.ts';
import { exportKey } from './write-export.ts';

/** How long a link to an archive works, in seconds. */
const LINK_SECONDS = 3_600;

/** Archives of everything that an account has. Ids are UUIDs. */
export interface ExportsService {
  /** Begins an export; while one is under way it is that one. */
  request(ctx: Context): Promise<store.ExportRow>;
  list(ctx: Context, page: { limit: number; after?: string | undefined }): Promise<store.ExportRow[]>;
  /** @returns with a link to the archive where it is ready @throws account_export.not_found */
  get(ctx: Context, id: string): Promise<{ row: store.ExportRow; url: string | null }>;
}

export interface ExportsDependencies {
  database: Database;
  files: Pick<Files, 'signedUrl'>;
  jobs: Pick<Jobs, 'queue'>;
  newUuid: NewUuid;
  clock: Clock;
}

export function createExportsService(deps: ExportsDependencies): ExportsService {
  const { database, files, jobs, newUuid, clock } = deps;
  return {
    async request(ctx) {
      const { accountId } = ctx;
      const wanted = { id: newUuid(), accountId, at: clock.now() };
      const row = await database.account(bothModes(ctx), (tx) => store.addExport(tx, wanted));
      await jobs
        .queue(exportQueue)
        .add({ export_id: row.id }, { jobId: `export-${row.id}` })
        .catch((error: unknown) =>
          ctx.log.warn({ err: error }, 'no job for the export yet, the sweep adds it'),
        );
      return row;
    },

    async list(ctx, page) {
      return database.accountOnce({ accountId: ctx.accountId }, (tx) => store.listExports(tx, page));
    },

    async get(ctx, id) {
      const row = await database.accountOnce({ accountId: ctx.accountId }, (tx) => store.findExport(tx, id));
      if (row === undefined) throw privacyErrors.exportNotFound();
      const isReady = row.status === 'ready' && row.expires_at !== null && row.expires_at > clock.now();
      if (!isReady) return { row, url: null };
      const name = `pingr-export-${row.created_at.toISOString().slice(0, 10)}.zip`;
      return {
        row,
        url: await files.signedUrl(exportKey(ctx.accountId, id), LINK_SECONDS, { saveAs: name }),
      };
    },
  };
}
