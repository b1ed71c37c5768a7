import type { Database } from '../../platform/db/database.ts';
import type { Log } from '../../platform/log/log.ts';
import * as system from './purge.system.ts';

/** Rows in one step: a step is a transaction, and short. */
const ROWS = 5_000;
const CONTENTS = 2_000;

export interface PurgeParts {
  database: Database;
  log: Log;
  /** Ends the purge between two steps; the next one goes on where it stopped. */
  signal?: AbortSignal | undefined;
}

/**
 * Drops and deletes what has outlived its time, however long ago the last purge was, and reports it in a log line and
 * in `app.purge_runs`.
 */
export async function runPurge({ database, log, signal }: PurgeParts): Promise<system.PurgeRun> {
  const run = await database.systemOnce(system.beginPurge);
  const repeat = async (step: () => Promise<boolean>) => {
    while (await step()) signal?.throwIfAborted();
  };
  await repeat(
    async () => (await database.systemOnce((tx) => system.dropExpiredPartition(tx, run))) !== null,
  );
  await repeat(async () => (await database.systemOnce((tx) => system.deleteExpiredRows(tx, run, ROWS))) > 0);
  await repeat(
    async () => (await database.systemOnce((tx) => system.forgetOldContents(tx, run, CONTENTS))) > 0,
  );
  const done = await database.systemOnce((tx) => system.endPurge(tx, run));
  const { dropped, skipped, deleted, contents } = done;
  log.info(
    { dropped: dropped.map(({ partition }) => partition), skipped, deleted, contents: Number(contents) },
    'purge finished',
  );
  return done;
}

/** Forgets what accounts that store no content are done with. @returns once nothing is left to do now */
export async function forgetFinished({ database, signal }: Omit<PurgeParts, 'log'>): Promise<void> {
  while ((await database.systemOnce((tx) => system.forgetFinishedContents(tx, CONTENTS))) > 0) {
    if (signal?.aborted) return;
  }
}
