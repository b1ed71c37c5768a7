import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import {
  createEndpointWaker,
  type EndpointWaker,
  webhookWakeQueue,
} from '../../../src/features/webhooks/webhook-wake.jobs.ts';
import { seedAccount } from '../../support/database.ts';
import { createTestJobs, type TestJobs } from '../../support/jobs.ts';
import { silentLog } from '../../support/log.ts';
import { openWebhookReceiver, type WebhookReceiver } from '../../support/webhook-receiver.ts';
import { announce } from '../events/open-events.ts';
import { all, type Deliveries, openDeliveries } from './open-deliveries.ts';

let app: Deliveries;
let queues: TestJobs;
let waker: EndpointWaker;
let receiver: WebhookReceiver;
let accountId: string;
beforeAll(async () => {
  app = await openDeliveries();
  queues = await createTestJobs();
  waker = createEndpointWaker({ jobs: queues.jobs, send: app.notifier.send, log: silentLog });
});
afterAll(async () => {
  await app.close();
  await queues.close();
});
beforeEach(async () => {
  receiver = await openWebhookReceiver();
  accountId = await seedAccount(app.db);
});
afterEach(async () => {
  await app.closePools();
  await receiver.close();
});

/** A worker that finds nothing by itself, and takes jobs of the test mode. */
async function openWorker() {
  const { pool } = await app.openPool({
    settings: { sweepMs: 60_000, lingerMs: 60_000 },
    parts: { waker },
  });
  const work = await queues.jobs.work(
    webhookWakeQueue,
    async ({ endpoint_id: endpointId }) => pool.wake(endpointId),
    { concurrency: 10, suffix: 'test' },
  );
  return { pool, stop: () => work.close(0) };
}

it('an endpoint that nobody holds is taken by a worker that gets the job', async () => {
  const { stop } = await openWorker();
  const { id } = await app.seedEndpoint(accountId, receiver.url);
  await announce(app.db.owner, { accountId });
  for (let i = 0; i < 5; i++) waker.offer(id, 'test');
  await app.settled(id, all('delivered', 1));
  await stop();
});

it('an endpoint that a worker holds is looked at by that worker', async () => {
  const { pool, stop } = await openWorker();
  const { id } = await app.seedEndpoint(accountId, receiver.url);
  await app.happen({ accountId });
  await app.settled(id, all('delivered', 1));
  expect(pool.state().lanes).toBe(1);
  await stop();
  await announce(app.db.owner, { accountId });
  waker.wake(id, 'test');
  await app.settled(id, all('delivered', 2));
});

it('a job that was put off arrives when it is time', async () => {
  const { stop } = await openWorker();
  const { id } = await app.seedEndpoint(accountId, receiver.url);
  await announce(app.db.owner, { accountId });
  const before = Date.now();
  waker.offer(id, 'test', 400);
  await app.settled(id, all('delivered', 1));
  expect(Date.now() - before).toBeGreaterThanOrEqual(350);
  await stop();
});
