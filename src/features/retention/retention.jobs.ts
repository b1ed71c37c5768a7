import { z } from 'zod';
import type { Database } from '../../platform/db/database.ts';
import type { Jobs } from '../../platform/jobs/jobs.ts';
import { defineQueue } from '../../platform/jobs/queue-definition.ts';
import type { Lifecycle } from '../../platform/lifecycle/lifecycle.ts';
import type { Log } from '../../platform/log/log.ts';
import { isPurgeOverdue } from './purge.system.ts';
import { forgetFinished, runPurge } from './run-purge.ts';

/** The nightly purge. */
export const purgeQueue = defineQueue('retention-purge', z.object({ task: z.literal('purge') }), {
  attempts: 3,
  backoffMs: 60_000,
  lockMs: 30_000,
});

/** Forgetting of contents that nobody wants stored, every minute. */
const forgetQueue = defineQueue('retention-forget', z.object({ task: z.literal('forget') }), { attempts: 1 });

/** 03:17 UTC, when few send; not on the hour, when everybody's jobs run. */
const NIGHTLY = '17 3 * * *';
const FORGET_EVERY_MS = 60_000;
/** A purge is overdue when the last one finished longer ago than a night and its retries. */
const OVERDUE_HOURS = 26;

export interface RetentionJobsParts {
  database: Database;
  jobs: Jobs;
  lifecycle: Lifecycle;
  log: Log;
}

/** Works on the purge and schedules it; where it was missed, the program having been away, it runs at once. */
export async function runRetentionJobs({
  database,
  jobs,
  lifecycle,
  log,
}: RetentionJobsParts): Promise<void> {
  await lifecycle.open(
    'purge',
    () =>
      jobs.work(
        purgeQueue,
        async (_payload, job) => {
          await runPurge({ database, log: job.log, signal: job.signal });
        },
        { concurrency: 1 },
      ),
    { close: (worker) => worker.close(2_000) },
  );
  await lifecycle.open(
    'forgetting of contents',
    () =>
      jobs.work(forgetQueue, (_payload, { signal }) => forgetFinished({ database, signal }), {
        concurrency: 1,
      }),
    { close: (worker) => worker.close(2_000) },
  );
  await jobs.schedule(purgeQueue, { cron: NIGHTLY }, { task: 'purge' });
  await jobs.schedule(forgetQueue, { everyMs: FORGET_EVERY_MS }, { task: 'forget' });
  if (await database.systemOnce((tx) => isPurgeOverdue(tx, OVERDUE_HOURS))) {
    log.info({}, 'the last purge is more than a day ago: purging now');
    await jobs.queue(purgeQueue).add({ task: 'purge' }, { coalesce: 'overdue' });
  }
}
