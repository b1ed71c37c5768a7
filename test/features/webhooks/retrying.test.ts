import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { toId } from '../../../src/lib/ids.ts';
import { seedAccount } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { type Answer, openWebhookReceiver, type WebhookReceiver } from '../../support/webhook-receiver.ts';
import { all, type Deliveries, openDeliveries } from './open-deliveries.ts';

let app: Deliveries;
let receiver: WebhookReceiver;
let accountId: string;
beforeAll(async () => {
  app = await openDeliveries();
});
afterAll(() => app.close());
beforeEach(async () => {
  receiver = await openWebhookReceiver();
  accountId = await seedAccount(app.db);
});
afterEach(async () => {
  await app.closePools();
  await receiver.close();
});

/** Answers in turn, the last one for good. */
function inTurn(...answers: Answer[]): () => Answer {
  return () => (answers.length > 1 ? answers.shift() : answers[0]) ?? 200;
}

describe('a delivery that fails', () => {
  it.each<[Answer, { error: string; status_code: number | null }]>([
    [500, { error: 'status', status_code: 500 }],
    [404, { error: 'status', status_code: 404 }],
    [
      { status: 302, headers: { location: '/elsewhere' } },
      { error: 'status', status_code: 302 },
    ],
    ['drop', { error: 'reset', status_code: null }],
    ['hang', { error: 'timeout', status_code: null }],
  ])('with %j is tried again with the same id, and then arrives', async (answer, failure) => {
    await app.openPool({ settings: { timeoutMs: answer === 'hang' ? 1_500 : 10_000 } });
    const { id } = await app.seedEndpoint(accountId, receiver.url);
    receiver.answer(inTurn(answer, 200));
    await app.happen({ accountId });
    const [delivery] = await app.settled(id, all('delivered', 1));
    expect(delivery).toMatchObject({ attempts: 2, tries: 2, last_error: null, last_status_code: 200 });
    expect(receiver.received).toHaveLength(2);
    expect(new Set(receiver.received.map(({ id: webhookId }) => webhookId)).size).toBe(1);
    expect(receiver.received.map(({ path }) => path)).toEqual(['/hook', '/hook']);
    expect(await app.attempts(delivery?.id ?? '')).toMatchObject([
      { number: 1, outcome: 'failed', ...failure },
      { number: 2, outcome: 'succeeded', status_code: 200, error: null },
    ]);
    expect(await app.endpoint(id)).toMatchObject({ failing_since: null });
  });

  it('waits the pauses of the schedule, and is a dead letter after the last', async () => {
    await app.openPool({ settings: { schedule: [100, 300] } });
    const { id } = await app.seedEndpoint(accountId, receiver.url);
    receiver.answer({ status: 500, body: 'no' });
    await app.happen({ accountId });
    const [delivery] = await app.settled(id, all('failed', 1));
    expect(delivery).toMatchObject({
      attempts: 3,
      tries: 3,
      next_attempt_at: null,
      last_status_code: 500,
      last_error: 'status',
      finished_at: expect.any(Date),
    });
    const [first = 0, second = 0, third = 0] = receiver.received.map(({ at }) => at);
    expect(second - first).toBeGreaterThanOrEqual(85);
    expect(third - second).toBeGreaterThanOrEqual(265);
    expect(await app.endpoint(id)).toMatchObject({ enabled: true, failing_since: expect.any(Date) });
  });

  it('that is replayed begins the schedule again under the same id', async () => {
    await app.openPool({ settings: { schedule: [20] } });
    const { id } = await app.seedEndpoint(accountId, receiver.url);
    receiver.answer(500);
    await app.happen({ accountId });
    await app.settled(id, all('failed', 1));
    receiver.answer(inTurn(500, 200));
    await app.db.owner.query(
      `update webhook_deliveries set status = 'pending', tries = 0, next_attempt_at = now(), finished_at = null
       where endpoint_id = $1`,
      [id],
    );
    app.notifier.notify(accountId);
    const [delivery] = await app.settled(id, all('delivered', 1));
    expect(delivery).toMatchObject({ attempts: 4, tries: 2 });
    expect(new Set(receiver.received.map(({ id: webhookId }) => webhookId)).size).toBe(1);
  });

  it('does not keep other events of the endpoint from arriving', async () => {
    await app.openPool({ settings: { schedule: [60_000] } });
    const { id } = await app.seedEndpoint(accountId, receiver.url);
    receiver.answer(({ payload }) => (payload.data['status'] === 'bad' ? 500 : 200));
    for (const status of ['bad', 'good', 'good']) await app.happen({ accountId, data: { status } });
    await app.settled(id, (rows) => rows.filter((row) => row.status === 'delivered').length === 2);
  });
});

describe('a receiver that asks for rest', () => {
  it.each([429, 503])('with %i and Retry-After gets no request at all until then', async (status) => {
    await app.openPool();
    const { id } = await app.seedEndpoint(accountId, receiver.url);
    receiver.answer(inTurn({ status, headers: { 'retry-after': '1' } }, 200));
    await app.happen({ accountId });
    await eventually(
      () => receiver.received.length,
      (count) => count >= 1,
    );
    for (let i = 0; i < 5; i++) await app.happen({ accountId });
    await app.settled(id, all('delivered', 6));
    const [first, ...rest] = receiver.received.map(({ at }) => at);
    expect(Math.min(...rest) - (first ?? 0)).toBeGreaterThanOrEqual(950);
  });

  it('gets it from another worker too', async () => {
    const { close } = await app.openPool();
    const { id } = await app.seedEndpoint(accountId, receiver.url);
    receiver.answer(inTurn({ status: 429, headers: { 'retry-after': '1' } }, 200));
    await app.happen({ accountId });
    await app.settled(id, ([row]) => (row?.attempts ?? 0) >= 1);
    await close();
    await app.openPool();
    await app.happen({ accountId });
    await app.settled(id, all('delivered', 2));
    const [first = 0, second = 0] = receiver.received.map(({ at }) => at);
    expect(second - first).toBeGreaterThanOrEqual(950);
  });
});

describe('an endpoint that Pingr switches off', () => {
  it('after 410, which it announces to the others, while deliveries wait', async () => {
    await app.openPool();
    const { id } = await app.seedEndpoint(accountId, receiver.url);
    const watcher = await app.seedEndpoint(accountId, new URL('/watch', receiver.url).href, {
      events: ['webhook_endpoint.disabled'],
    });
    receiver.answer(({ path }) => (path === '/watch' ? 200 : 410));
    await app.happen({ accountId });
    await eventually(
      () => app.endpoint(id),
      ({ enabled }) => !enabled,
    );
    expect(await app.endpoint(id)).toMatchObject({ disabled_reason: 'gone', disabled_at: expect.any(Date) });
    await app.settled(watcher.id, all('delivered', 1));
    expect(receiver.received.find(({ path }) => path === '/watch')?.payload).toMatchObject({
      type: 'webhook_endpoint.disabled',
      session_id: null,
      data: { id: toId('webhookEndpoint', id), url: receiver.url, reason: 'gone' },
    });
    expect(await app.deliveries(id)).toMatchObject([{ status: 'pending', attempts: 1 }]);
    expect(app.disabled).toMatchObject([{ id, reason: 'gone' }]);

    await app.db.owner.query(
      'update webhook_endpoints set enabled = true, disabled_reason = null where id = $1',
      [id],
    );
    receiver.answer(200);
    await app.settled(id, all('delivered', 1));
  });

  it('after days of failure, about which its owner is told', async () => {
    await app.openPool({ settings: { disableAfterMs: 300, schedule: [100, 100, 100, 100, 100, 100] } });
    const { id } = await app.seedEndpoint(accountId, receiver.url);
    receiver.answer(500);
    await app.happen({ accountId });
    await eventually(
      () => app.endpoint(id),
      ({ enabled }) => !enabled,
    );
    expect(await app.endpoint(id)).toMatchObject({ disabled_reason: 'failing' });
    expect(app.disabled.filter((endpoint) => endpoint.id === id)).toMatchObject([
      { accountId, url: receiver.url, reason: 'failing' },
    ]);
    const { length } = receiver.received;
    // On a machine that stood still the second failure may already be the last.
    expect(length).toBeGreaterThanOrEqual(2);
    expect(await app.deliveries(id)).toMatchObject([{ status: 'pending', attempts: length }]);
  });

  it('is left alone where it was moved while the request was under way', async () => {
    await app.openPool();
    const { id } = await app.seedEndpoint(accountId, receiver.url);
    receiver.answer(({ path }) => (path === '/hook' ? { status: 410, afterMs: 200 } : 200));
    await app.happen({ accountId });
    await eventually(
      () => receiver.received.length,
      (count) => count === 1,
    );
    await app.db.owner.query('update webhook_endpoints set url = $2 where id = $1', [
      id,
      new URL('/moved', receiver.url).href,
    ]);
    await app.settled(id, all('delivered', 1));
    expect(await app.endpoint(id)).toMatchObject({ enabled: true });
  });
});

describe('an endpoint that is switched off by its owner', () => {
  it('gets nothing more, and what waits when it is on again', async () => {
    await app.openPool({ settings: { schedule: [60_000] } });
    const { id } = await app.seedEndpoint(accountId, receiver.url);
    receiver.answer(500);
    await app.happen({ accountId });
    await app.settled(id, ([row]) => row?.attempts === 1 && row.status === 'pending');
    const set = (enabled: boolean) =>
      app.db.owner.query('update webhook_endpoints set enabled = $2 where id = $1', [id, enabled]);
    await set(false);
    await app.db.owner.query('update webhook_deliveries set next_attempt_at = now() where endpoint_id = $1', [
      id,
    ]);
    app.notifier.notify(accountId);
    const other = await app.seedEndpoint(accountId, new URL('/other', receiver.url).href);
    receiver.answer(200);
    await app.happen({ accountId });
    await app.settled(other.id, all('delivered', 1));
    expect(await app.deliveries(id)).toMatchObject([{ status: 'pending', attempts: 1 }]);
    await set(true);
    await app.settled(id, all('delivered', 1));
  });
});
