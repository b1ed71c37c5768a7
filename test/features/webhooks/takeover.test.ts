import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Database } from '../../../src/platform/db/database.ts';
import { databaseErrors } from '../../../src/platform/db/db.errors.ts';
import { seedAccount } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { openWebhookReceiver, type WebhookReceiver } from '../../support/webhook-receiver.ts';
import { type Faults, faulty } from '../api-keys/open-api.ts';
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

/** A database that this process alone can lose. */
function losable(): { database: Database; away: (yes: boolean) => void } {
  const faults: Faults = { database: undefined };
  return {
    database: faulty(app.db.database, faults),
    away: (yes) => {
      faults.database = yes ? () => databaseErrors.unavailable() : undefined;
    },
  };
}

async function happen(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await app.happen({ accountId });
}

function idsOf({ received }: WebhookReceiver): Set<string> {
  return new Set(received.map(({ id }) => id));
}

describe('a worker that dies in the middle', () => {
  it('is followed by another once its lease has run out: what was under way is sent again, under the same id', async () => {
    const { database, away } = losable();
    await app.openPool({ database, settings: { timeoutMs: 30_000, finishMs: 0, flushMs: 0 } });
    const { id } = await app.seedEndpoint(accountId, receiver.url);
    receiver.answer('hang');
    await happen(3);
    await eventually(
      () => receiver.received.length,
      (count) => count === 1,
    );
    away(true);

    receiver.answer(200);
    await app.openPool();
    const rows = await app.settled(id, all('delivered', 3));
    expect(receiver.received).toHaveLength(4);
    expect(idsOf(receiver).size).toBe(3);
    const twice = rows.find(({ attempts }) => attempts === 2);
    expect(twice).toMatchObject({ tries: 1 });
    expect(await app.attempts(twice?.id ?? '')).toMatchObject([
      { number: 1, outcome: 'interrupted', status_code: null },
      { number: 2, outcome: 'succeeded' },
    ]);
  });

  it('and was only paused changes nothing but the record of what it did', async () => {
    const { database, away } = losable();
    const { pool } = await app.openPool({ database, settings: { timeoutMs: 30_000 } });
    const { id } = await app.seedEndpoint(accountId, receiver.url);
    receiver.answer({ status: 410, afterMs: 2_500 });
    await happen(1);
    await eventually(
      () => receiver.received.length,
      (count) => count === 1,
    );
    away(true);

    receiver.answer(200);
    await app.openPool();
    const [delivery] = await app.settled(id, all('delivered', 1));
    await eventually(
      () => receiver.waiting.now,
      (waiting) => waiting === 0,
    );
    away(false);
    const attempts = await eventually(
      () => app.attempts(delivery?.id ?? ''),
      ([first]) => first?.outcome === 'failed',
    );
    expect(attempts).toMatchObject([
      { number: 1, outcome: 'failed', status_code: 410 },
      { number: 2, outcome: 'succeeded', status_code: 200 },
    ]);
    expect(await app.deliveries(id)).toMatchObject([{ status: 'delivered', attempts: 2, tries: 1 }]);
    expect(await app.endpoint(id)).toMatchObject({ enabled: true, failing_since: null });
    await eventually(
      () => pool.state().lanes,
      (lanes) => lanes === 0,
    );
  });
});

describe('while the database is away', () => {
  it('outcomes are kept, and written when it is back', async () => {
    const { database, away } = losable();
    const { metrics } = await app.openPool({ database, settings: { leaseMs: 600_000 } });
    const { id } = await app.seedEndpoint(accountId, receiver.url);
    receiver.answer(() => {
      away(true);
      return 200;
    });
    await happen(1);
    await eventually(
      () => receiver.received.length,
      (count) => count === 1,
    );
    await eventually(
      () => metrics.attempts.length,
      (count) => count === 1,
    );
    receiver.answer(200);
    await happen(20);
    expect(await app.deliveries(id)).toContainEqual(expect.objectContaining({ status: 'sending' }));
    away(false);
    const rows = await app.settled(id, all('delivered', 21));
    expect(rows.every(({ attempts }) => attempts === 1)).toBe(true);
    expect(receiver.received).toHaveLength(21);
  });

  it('for longer than the lease lasts, another worker goes on, and no event is lost', async () => {
    const { database, away } = losable();
    const one = await app.openPool({ database });
    const { id } = await app.seedEndpoint(accountId, receiver.url);
    receiver.answer({ status: 200, afterMs: 20 });
    await happen(60);
    away(true);
    const two = await app.openPool();
    await app.settled(id, all('delivered', 60));
    away(false);
    await happen(10);
    await app.settled(id, all('delivered', 70));
    expect(idsOf(receiver).size).toBe(70);
    expect(one.pool.state().lanes + two.pool.state().lanes).toBeLessThanOrEqual(2);
  });

  it('in the form of connections that break again and again, every event arrives', async () => {
    await app.openPool({ settings: { leaseMs: 5_000 } });
    const { id } = await app.seedEndpoint(accountId, receiver.url);
    receiver.answer(() => ({ status: 200, afterMs: Math.random() * 10 }));
    let breaking = true;
    const breaker = (async () => {
      while (breaking) {
        await app.db.owner.query(
          `select pg_terminate_backend(pid) from pg_stat_activity
           where datname = current_database() and application_name = 'test'`,
        );
        await new Promise((resolve) => setTimeout(resolve, 30));
      }
    })();
    for (let i = 0; i < 20; i++) {
      await happen(15);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    breaking = false;
    await breaker;
    const rows = await app.settled(id, all('delivered', 300));
    expect(idsOf(receiver).size).toBe(300);
    const { rows: open } = await app.db.owner.query(
      'select from webhook_attempts where endpoint_id = $1 and outcome is null',
      [id],
    );
    expect(open).toEqual([]);
    const { rows: recorded } = await app.db.owner.query<{ count: number }>(
      'select count(*)::integer as count from webhook_attempts where endpoint_id = $1',
      [id],
    );
    expect(recorded[0]?.count).toBe(rows.reduce((sum, { attempts }) => sum + attempts, 0));
  });
});

describe('answers of the database that are lost', () => {
  it('after it did what it was asked leave nothing undone, and every event arrives', async () => {
    const calls = new Map<string, number>();
    const { database: real } = app.db;
    const database: Database = {
      ...real,
      async systemOnce(work) {
        let count = 0;
        const result = await real.systemOnce((tx) => {
          const query: typeof tx.query = (text, values) => {
            count = (calls.get(text) ?? 0) + 1;
            calls.set(text, count);
            return tx.query(text, values);
          };
          return work({ ...tx, query });
        });
        // The first of each kind is answered, so that the pool starts.
        if (count % 3 === 2) throw databaseErrors.unavailable();
        return result;
      },
    };
    const { id } = await app.seedEndpoint(accountId, receiver.url);
    const { close } = await app.openPool({ database });
    for (let i = 0; i < 10; i++) await happen(5);
    const rows = await app.settled(id, all('delivered', 50));
    expect(idsOf(receiver).size).toBe(50);
    for (const row of rows) {
      const attempts = await app.attempts(row.id);
      expect(attempts).toHaveLength(row.attempts);
      expect(attempts.filter(({ outcome }) => outcome === 'succeeded')).toHaveLength(1);
      expect(attempts.filter(({ outcome }) => outcome === null)).toEqual([]);
    }
    await close();
  });
});

describe('a worker that is told to end', () => {
  it('lets requests under way finish, gives the rest back, and frees its endpoints', async () => {
    const { close } = await app.openPool({ settings: { finishMs: 60_000 } });
    const { id } = await app.seedEndpoint(accountId, receiver.url);
    await happen(30);
    await app.settled(id, all('delivered', 30));
    receiver.answer({ status: 200, afterMs: 300 });
    await happen(200);
    await eventually(
      () => receiver.waiting.now,
      (waiting) => waiting > 1,
    );
    await close();
    const rows = await app.deliveries(id);
    expect(rows.filter(({ status }) => status === 'sending')).toEqual([]);
    expect(rows.filter(({ status }) => status === 'delivered')).toHaveLength(receiver.received.length);
    expect(rows.filter(({ status, attempts }) => status === 'pending' && attempts === 0)).toHaveLength(
      230 - receiver.received.length,
    );
    const { rows: lanes } = await app.db.owner.query(
      'select owner from webhook_lanes where endpoint_id = $1',
      [id],
    );
    expect(lanes).toEqual([{ owner: null }]);
    receiver.answer(200);
    await app.openPool();
    await app.settled(id, all('delivered', 230));
    expect(receiver.received).toHaveLength(230);
  });

  it('gives up what does not end in time, which is on record as interrupted', async () => {
    const { close } = await app.openPool({ settings: { finishMs: 100, timeoutMs: 30_000 } });
    const { id } = await app.seedEndpoint(accountId, receiver.url);
    receiver.answer('hang');
    await happen(1);
    await eventually(
      () => receiver.received.length,
      (count) => count === 1,
    );
    const before = Date.now();
    await close();
    expect(Date.now() - before).toBeLessThan(30_000);
    const [delivery] = await app.deliveries(id);
    expect(delivery).toMatchObject({ status: 'pending', attempts: 1, tries: 0 });
    expect(await app.attempts(delivery?.id ?? '')).toMatchObject([{ outcome: 'interrupted', error: null }]);
  });

  it('while the database is away ends in time, and another sends what it could not record', async () => {
    const { database, away } = losable();
    const { close } = await app.openPool({ database });
    const { id } = await app.seedEndpoint(accountId, receiver.url);
    receiver.answer({ status: 200, afterMs: 200 });
    await happen(1);
    await eventually(
      () => receiver.received.length,
      (count) => count === 1,
    );
    away(true);
    await close();
    await app.openPool();
    await app.settled(id, all('delivered', 1));
    expect(idsOf(receiver).size).toBe(1);
  });
});

describe('several workers', () => {
  it('share the endpoints that are due, each of which one of them has', async () => {
    const endpoints = await Promise.all(
      Array.from({ length: 120 }, (_, i) => app.seedEndpoint(accountId, new URL(`/${i}`, receiver.url).href)),
    );
    await happen(3);
    await app.notifier.flush();
    // Nobody sweeps a second time, so that who comes late finds something as well.
    const settings = { leaseMs: 600_000, sweepMs: 600_000 };
    const opened = await Promise.all(Array.from({ length: 3 }, () => app.openPool({ settings })));
    // What two chose at once, and one of them has not got.
    for (const { id } of endpoints) opened[0]?.pool.wake(id);
    for (const { id } of endpoints) await app.settled(id, all('delivered', 3));
    expect(receiver.received).toHaveLength(360);
    for (const { metrics } of opened) expect(metrics.attempts.length).toBeGreaterThan(0);
  });
});
