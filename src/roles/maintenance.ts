import { z } from 'zod';
import { failOrphans } from '../features/messages/fail-orphans.system.ts';
import { cancelOrphans } from '../features/webhooks/deliveries.system.ts';
import { newUuid } from '../lib/ids.ts';
import { purgeIdempotencyKeys } from '../platform/http/idempotency.system.ts';
import { defineQueue } from '../platform/jobs/queue-definition.ts';
import type { Core } from './core.ts';
import { forgetGoneWorkers, preparePartitions } from './maintenance.system.ts';
import type { Outbound } from './parts-outbound.ts';

/** Upkeep that one process does for all, every few minutes. */
const maintenanceQueue = defineQueue('maintenance', z.object({ task: z.literal('upkeep') }));

/** Schedules the upkeep and works on it. */
export async function runMaintenance(core: Core, { mails }: Outbound): Promise<void> {
  const { jobs, lifecycle } = core;
  await lifecycle.open(
    'maintenance',
    () => jobs.work(maintenanceQueue, () => keepUp({ ...core, mails }), { concurrency: 1 }),
    {
      close: (worker) => worker.close(1_000),
    },
  );
  await jobs.schedule(maintenanceQueue, { everyMs: 5 * 60_000 }, { task: 'upkeep' });
}

interface UpkeepParts extends Pick<Core, 'database'> {
  events: Pick<Core['events'], 'notify'>;
  mails: Pick<Outbound['mails'], 'sweep'>;
}

/** Makes partitions for the weeks ahead, and clears away what has outlived its use. */
export async function keepUp({ database, events, mails }: UpkeepParts): Promise<void> {
  for (const accountId of await database.system((tx) => failOrphans(tx, newUuid))) events.notify(accountId);
  await database.systemOnce(preparePartitions);
  const batch = 5_000;
  while ((await database.systemOnce((tx) => purgeIdempotencyKeys(tx, batch))) === batch);
  await database.systemOnce(forgetGoneWorkers);
  while ((await database.systemOnce((tx) => cancelOrphans(tx, batch))) === batch);
  await mails.sweep();
}
