import { z } from 'zod';
import type { Clock } from '../../lib/clock.ts';
import type { Database } from '../../platform/db/database.ts';
import type { Jobs } from '../../platform/jobs/jobs.ts';
import { defineQueue } from '../../platform/jobs/queue-definition.ts';
import type { Lifecycle } from '../../platform/lifecycle/lifecycle.ts';
import { countForAll } from './count-messages.ts';

/** Counting of messages, for whoever reads the counts without asking us: dashboards, billing. */
export const countQueue = defineQueue('usage-count', z.object({ task: z.literal('count') }), { attempts: 1 });

const COUNT_EVERY_MS = 60_000;

export interface UsageJobsParts {
  database: Database;
  jobs: Jobs;
  lifecycle: Lifecycle;
  clock: Clock;
}

/** Counts every minute; one process does it for all. A run that was missed or cut short is made up for by the next. */
export async function runUsageJobs({ database, jobs, lifecycle, clock }: UsageJobsParts): Promise<void> {
  await lifecycle.open(
    'counting of usage',
    () =>
      jobs.work(countQueue, (_payload, { signal }) => countForAll({ database, clock, signal }), {
        concurrency: 1,
      }),
    { close: (worker) => worker.close(2_000) },
  );
  await jobs.schedule(countQueue, { everyMs: COUNT_EVERY_MS }, { task: 'count' });
}
