import type { AccountsService } from '../features/accounts/accounts.service.ts';
import type { MailService } from '../features/mail/mail.service.ts';
import { scopesOfRole } from '../features/members/roles.model.ts';
import { openContent } from '../features/messages/message-content.ts';
import { createClosuresService } from '../features/privacy/closures.service.ts';
import { eraseDueAccounts } from '../features/privacy/erase-account.ts';
import { createExportsService } from '../features/privacy/exports.service.ts';
import { exportQueue, privacySweepQueue } from '../features/privacy/privacy.jobs.ts';
import { privacyRoutes } from '../features/privacy/privacy.routes.ts';
import { RESTORE_PATH, serveRestore } from '../features/privacy/restore.routes.ts';
import { createRestoreTokens } from '../features/privacy/restore-link.ts';
import { sweepExports, workOnExport } from '../features/privacy/work-exports.ts';
import { exportsFolder } from '../features/privacy/write-export.ts';
import { newUuid, toId } from '../lib/ids.ts';
import { systemClock } from '../lib/system-clock.ts';
import type { Files } from '../platform/files/files.ts';
import type { AppOptions } from '../platform/http/app.ts';
import type { Route } from '../platform/http/route.ts';
import type { ApiConfig } from './config.ts';
import type { Core } from './core.ts';
import { exportedRows } from './exported-rows.ts';
import { publicUrlOf } from './parts-files.ts';

/** What taking everything along and leaving need of others. */
interface PrivacyNeeds {
  accounts: AccountsService;
  mail: MailService;
  files: Files;
}

const SWEEP_EVERY_MS = 5 * 60_000;
/** While sessions of an account that is erased are being logged out. */
const LOOK_AGAIN_MS = 5_000;

/** Folders with files that an account stored; its exports are apart. */
function foldersOf(accountId: string): string[] {
  return [`media/${toId('account', accountId)}`];
}

/** Exports, deletion, and the page that undoes it. */
export function openPrivacyRoutes(
  { database, jobs }: Core,
  config: ApiConfig,
  { accounts, mail, files }: PrivacyNeeds,
): { routes: Route[]; pages: NonNullable<AppOptions['pages']> } {
  const shared = { database, jobs, files, accounts, mail, newUuid, clock: systemClock };
  const closures = createClosuresService({
    ...shared,
    tokens: createRestoreTokens(config.masterKey),
    restoreDays: config.restoreDays,
    scopesOf: scopesOfRole,
    restoreUrl: (token) => `${publicUrlOf(config)}${RESTORE_PATH}?token=${token}`,
  });
  return {
    routes: privacyRoutes(closures, createExportsService(shared)),
    pages: [(app) => serveRestore(app, closures)],
  };
}

/**
 * Writes exports and erases accounts, in a worker.
 * @param needs.settle ends what an erased account pays for elsewhere
 */
export async function runPrivacyJobs(
  core: Core,
  needs: PrivacyNeeds & { settle: (accountId: string) => Promise<void> },
): Promise<void> {
  const { jobs, lifecycle, log } = core;
  const parts = {
    ...core,
    ...needs,
    clock: systemClock,
    openContent,
    showRows: exportedRows(core),
    foldersOf,
  };
  await lifecycle.open(
    'exports',
    () =>
      jobs.work(exportQueue, ({ export_id }, job) => workOnExport(parts, export_id, job.lastAttempt), {
        concurrency: 1,
      }),
    { close: (worker) => worker.close(2_000) },
  );
  const erasure = { ...parts, foldersOf: (id: string) => [...foldersOf(id), exportsFolder(id)] };
  await lifecycle.open(
    'privacy sweep',
    () =>
      jobs.work(
        privacySweepQueue,
        async (_payload, { signal }) => {
          await sweepExports(parts);
          const waiting = await eraseDueAccounts({ ...erasure, log, signal });
          if (waiting === 0) return;
          // Of sweeps that end at about the same time, one looks again.
          const jobId = `again-${Math.ceil(systemClock.now().getTime() / LOOK_AGAIN_MS)}`;
          await jobs.queue(privacySweepQueue).add({ task: 'sweep' }, { delayMs: LOOK_AGAIN_MS, jobId });
        },
        { concurrency: 1 },
      ),
    { close: (worker) => worker.close(2_000) },
  );
  await jobs.schedule(privacySweepQueue, { everyMs: SWEEP_EVERY_MS }, { task: 'sweep' });
}
