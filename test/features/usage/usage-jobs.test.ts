import { afterAll, beforeAll, inject, it } from 'vitest';
import { countQueue, runUsageJobs } from '../../../src/features/usage/usage.jobs.ts';
import { newUuid } from '../../../src/lib/ids.ts';
import { systemClock } from '../../../src/lib/system-clock.ts';
import { createLifecycle } from '../../../src/platform/lifecycle/lifecycle.ts';
import { createTestDatabase, seedAccount, type TestDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { createTestJobs, type TestJobs } from '../../support/jobs.ts';
import { silentLog } from '../../support/log.ts';

let db: TestDatabase;
let testJobs: TestJobs;
beforeAll(async () => {
  db = await createTestDatabase(inject('postgresUrl'));
  testJobs = await createTestJobs();
});
afterAll(async () => {
  await testJobs.close();
  await db.close();
});

it('a worker counts messages for those who read the counts without asking us', async () => {
  const account = await seedAccount(db);
  const lifecycle = createLifecycle(silentLog);
  await runUsageJobs({ database: db.database, jobs: testJobs.jobs, lifecycle, clock: systemClock });
  await db.owner.query(`select app.announce($1, $2, 'test', 'message.queued', null, $3, '{}', now())`, [
    newUuid(),
    account,
    newUuid(),
  ]);
  await eventually(
    async () => {
      await testJobs.jobs.queue(countQueue).add({ task: 'count' }, { coalesce: 'now' });
      const counts = 'select count(*)::int as n from usage_counts where account_id = $1';
      return (await db.owner.query<{ n: number }>(counts, [account])).rows[0]?.n;
    },
    (count) => count === 5,
  );
  await lifecycle.close('test over');
});
