import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTriggerWaker, triggerWakeQueue } from '../../../src/features/triggers/trigger-wake.jobs.ts';
import { newUuid } from '../../../src/lib/ids.ts';
import { eventually } from '../../support/eventually.ts';
import { createTestJobs, type TestJobs } from '../../support/jobs.ts';
import { silentLog } from '../../support/log.ts';

let queues: TestJobs;
beforeAll(async () => {
  queues = await createTestJobs();
});
afterAll(() => queues.close());

describe('waking triggers from another process', () => {
  it('reaches a worker of the mode, and many hints about one account are few', async () => {
    const woken: string[] = [];
    const accounts = [newUuid(), newUuid()];
    const wake = createTriggerWaker({ jobs: queues.jobs, log: silentLog });
    for (let i = 0; i < 20; i++) for (const account of accounts) wake(account, 'test');
    wake(newUuid(), 'live');
    const handler = async ({ account_id: id }: { account_id: string }) => void woken.push(id);
    await queues.jobs.work(triggerWakeQueue, handler, { concurrency: 10, suffix: 'test' });
    await eventually(
      () => new Set(woken).size,
      (count) => count === 2,
    );
    expect([...new Set(woken)].toSorted()).toEqual(accounts.toSorted());
    expect(woken.length).toBeLessThanOrEqual(4);
  });

  it('is a hint: a queue that is away harms nobody', async () => {
    const jobs = {
      queue: () => ({
        add: () => Promise.reject(new Error('away')),
        addBulk: () => Promise.reject(new Error('away')),
      }),
    };
    createTriggerWaker({ jobs, log: silentLog })(newUuid(), 'test');
    await new Promise((resolve) => setImmediate(resolve));
  });
});
