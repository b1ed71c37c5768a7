import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { DeliverySettings } from '../../../src/features/webhooks/delivery-settings.ts';
import { WEBHOOK_WAKE_CHANNEL } from '../../../src/features/webhooks/webhook-wake.jobs.ts';
import {
  createWebhooksService,
  type WebhooksService,
} from '../../../src/features/webhooks/webhooks.service.ts';
import { newUuid } from '../../../src/lib/ids.ts';
import { systemClock } from '../../../src/lib/system-clock.ts';
import type { Context } from '../../../src/platform/context.ts';
import { contextOf } from '../../support/context.ts';
import { seedAccount } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { openWebhookReceiver, type WebhookReceiver } from '../../support/webhook-receiver.ts';
import { all, type Deliveries, openDeliveries } from './open-deliveries.ts';

let app: Deliveries;
let receiver: WebhookReceiver;
let accountId: string;
let ctx: Context;
beforeAll(async () => {
  app = await openDeliveries();
});
afterAll(() => app.close());
beforeEach(async () => {
  receiver = await openWebhookReceiver();
  accountId = await seedAccount(app.db);
  ctx = contextOf(accountId);
});
afterEach(async () => {
  await app.closePools();
  await receiver.close();
});

const AN_HOUR = { status: 503, headers: { 'retry-after': '3600' } };
/** A worker that stays with its endpoints, and one that leaves them at once; neither finds anything by itself. */
const STAYS = { sweepMs: 600_000, lingerMs: 600_000 };
const LEAVES = { sweepMs: 600_000, lingerMs: 10 };

/** The API, which wakes whoever has the endpoint by a notice, and the worker of this test where nobody has it. */
function openService(wake: (endpointId: string) => void): WebhooksService {
  return createWebhooksService({
    database: app.db.database,
    vault: app.db.vault,
    newUuid,
    randomBytes,
    clock: systemClock,
    outbound: app.http,
    policyFor: () => ({ https: 'optional', loopback: true }),
    sessionProblems: async () => [],
    events: { get: () => Promise.reject(new Error('nobody asks')) },
    wake,
  });
}

/** An endpoint that rests for an hour, with three deliveries that wait. */
async function rests(settings: Partial<DeliverySettings>) {
  const { pool } = await app.openPool({ settings });
  const service = openService((id) => {
    if (settings === STAYS) app.notifier.send(WEBHOOK_WAKE_CHANNEL, id);
    else pool.wake(id);
  });
  const { id } = await app.seedEndpoint(accountId, receiver.url);
  receiver.answer(AN_HOUR);
  await app.happen({ accountId });
  const [tried] = await app.settled(id, ([row]) => row?.attempts === 1 && row.status === 'pending');
  if (settings === LEAVES) {
    await eventually(
      () => pool.state().lanes,
      (lanes) => lanes === 0,
    );
  }
  for (let i = 0; i < 2; i++) await app.happen({ accountId });
  receiver.answer(200);
  return { id, service, delivery: tried?.id ?? '' };
}

type Resting = Awaited<ReturnType<typeof rests>>;

const ENDS: [string, ({ id, service, delivery }: Resting) => Promise<unknown>][] = [
  [
    'is switched off and on',
    async ({ id, service }) => {
      await service.update(ctx, id, { enabled: false });
      await service.update(ctx, id, { enabled: true });
    },
  ],
  [
    'gets another URL',
    ({ id, service }) => service.update(ctx, id, { url: new URL('/moved', receiver.url).href }),
  ],
  ['has one of its deliveries replayed', ({ service, delivery }) => service.replayOne(ctx, delivery)],
  [
    'has its deliveries replayed',
    ({ id, service }) =>
      service.replay(ctx, {
        endpointId: id,
        status: 'failed',
        since: undefined,
        until: new Date(Date.now() + 60_000),
        includeMissing: false,
      }),
  ],
];

describe.each([
  ['that a worker holds', STAYS],
  ['that nobody holds', LEAVES],
])('the rest of an endpoint %s', (_who, settings) => {
  it.each(ENDS)('ends when it %s, and what waits is sent', async (_what, end) => {
    const resting = await rests(settings);
    expect((await app.endpoint(resting.id)).resting_until?.getTime()).toBeGreaterThan(Date.now());
    await end(resting);
    await app.settled(resting.id, all('delivered', 3));
    expect(await app.endpoint(resting.id)).toMatchObject({ resting_until: null });
  });

  it('does not hold a sample back, and goes on for everything else', async () => {
    const { id, service } = await rests(settings);
    for (let i = 0; i < 2; i++) await service.test(ctx, id, 'message.read');
    const rows = await app.settled(
      id,
      (found) => found.filter(({ status }) => status === 'delivered').length === 2,
    );
    expect(rows.map(({ sample, status }) => `${sample} ${status}`)).toEqual([
      ...Array<string>(3).fill('false pending'),
      ...Array<string>(2).fill('true delivered'),
    ]);
    expect((await app.endpoint(id)).resting_until).not.toBeNull();
    expect(receiver.received).toHaveLength(3);
  });

  it('lets a sample be tried once, and no more', async () => {
    const { id, service } = await rests(settings);
    receiver.answer(500);
    await service.test(ctx, id, 'message.read');
    await app.settled(id, (rows) => rows.some(({ sample, tries }) => sample && tries === 1));
    // The pause that follows is far shorter than this.
    await service.test(ctx, id, 'message.sent');
    await systemClock.sleep(500);
    await service.test(ctx, id, 'message.sent');
    await app.settled(id, (rows) => rows.filter(({ sample, tries }) => sample && tries === 1).length === 3);
    expect(receiver.received).toHaveLength(4);
  });
});

it('a rest asked for by the URL that an endpoint had before does not hold up the new one', async () => {
  const { pool } = await app.openPool({ settings: STAYS });
  const service = openService((id) => pool.wake(id));
  const { id } = await app.seedEndpoint(accountId, receiver.url);
  receiver.answer(({ path }) => (path === '/hook' ? { ...AN_HOUR, afterMs: 500 } : 200));
  await app.happen({ accountId });
  await eventually(
    () => receiver.received.length,
    (count) => count === 1,
  );
  await app.happen({ accountId });
  await service.update(ctx, id, { url: new URL('/moved', receiver.url).href });
  await app.settled(id, all('delivered', 2));
  expect(await app.endpoint(id)).toMatchObject({ resting_until: null, failing_since: null });
});
