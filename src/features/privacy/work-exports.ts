import { toId } from '../../lib/ids.ts';
import type { Jobs } from '../../platform/jobs/jobs.ts';
import type { Log } from '../../platform/log/log.ts';
import type { MailService } from '../mail/mail.service.ts';
import * as system from './exports.system.ts';
import { exportQueue } from './privacy.jobs.ts';
import { exportKey, type WriteExportParts, writeExport } from './write-export.ts';

/** How long an archive can be downloaded, in days. */
const KEEP_DAYS = 7;
/** After this time an export that is not finished gets another job, which is dropped where it has one. */
const STALLED_MS = 15 * 60_000;

export interface WorkExportsParts extends WriteExportParts {
  mail: Pick<MailService, 'sendToOwners' | 'wake'>;
  log: Log;
}

/**
 * Writes one export and tells the owners. Safe to run again: the archive is written anew.
 * @param lastTry a failure is final
 */
export async function workOnExport(parts: WorkExportsParts, id: string, lastTry: boolean): Promise<void> {
  const { database, clock } = parts;
  const begun = await database.systemOnce((tx) => system.beginExport(tx, id));
  if (begun === undefined) return;
  const accountId = begun.account_id;
  try {
    const { bytes } = await writeExport(parts, { id, accountId });
    await finish(parts, { id, accountId, bytes });
  } catch (error) {
    if (lastTry) await database.systemOnce((tx) => system.failExport(tx, id, clock.now()));
    throw error;
  }
}

async function finish(
  { database, mail, files, clock, log }: WorkExportsParts,
  done: { id: string; accountId: string; bytes: number },
): Promise<void> {
  const { id, accountId, bytes } = done;
  const at = clock.now();
  const expiresAt = new Date(at.getTime() + KEEP_DAYS * 86_400_000);
  const isThere = await database.system(async (tx) => {
    if (!(await system.finishExport(tx, id, { bytes, at, expiresAt }))) return false;
    const values = { exportId: toId('accountExport', id), expiresAt };
    await mail.sendToOwners(tx, { accountId, template: 'export_ready', values });
    return true;
  });
  if (!isThere) return files.delete(exportKey(accountId, id));
  mail.wake();
  log.info({ export: toId('accountExport', id), bytes }, 'export ready');
}

/** Removes archives that are over and gives exports that stand still another job. */
export async function sweepExports({
  database,
  files,
  clock,
  jobs,
}: Pick<WorkExportsParts, 'database' | 'files' | 'clock'> & { jobs: Pick<Jobs, 'queue'> }): Promise<void> {
  const now = clock.now();
  for (const { id, account_id } of await database.systemOnce((tx) => system.findExpiredExports(tx, now))) {
    await files.delete(exportKey(account_id, id));
    await database.systemOnce((tx) => system.markExpired(tx, id));
  }
  const before = new Date(now.getTime() - STALLED_MS);
  for (const id of await database.systemOnce((tx) => system.findStalledExports(tx, before))) {
    await jobs.queue(exportQueue).add({ export_id: id }, { jobId: `export-${id}` });
  }
}
