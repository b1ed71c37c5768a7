import { z } from 'zod';
import { purgeIdempotencyKeys } from '../platform/http/idempotency.system.ts';
import { defineQueue } from '../platform/jobs/queue-definition.ts';
import type { Core } from './core.ts';

/** Upkeep that one process does for all, by the hour. */
const maintenanceQueue = defineQueue('maintenance', z.object({ task: z.literal('hourly') }));

/** Schedules the upkeep and works on it: partitions of the weeks ahead, and what has outlived its use. */
export async function runMaintenance({ jobs, database, lifecycle }: Core): Promise<void> {
  const upkeep = async () => {
    await database.systemOnce((tx) => tx.query('call app.prepare_partitions()'));
    await database.systemOnce(purgeIdempotencyKeys);
  };
  await lifecycle.open('maintenance', () => jobs.work(maintenanceQueue, upkeep, { concurrency: 1 }), {
    close: (worker) => worker.close(1_000),
  });
  await jobs.schedule(maintenanceQueue, { cron: '7 * * * *' }, { task: 'hourly' });
}
