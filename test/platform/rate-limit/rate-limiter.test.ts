import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { systemClock } from '../../../src/lib/system-clock.ts';
import { createRateLimiter } from '../../../src/platform/rate-limit/rate-limiter.ts';
import {
  createMemoryStore,
  createSharedStore,
  type RateLimitStore,
  withMemoryFallback,
} from '../../../src/platform/rate-limit/stores.ts';
import { connectRedis } from '../../../src/platform/redis/redis.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { silentLog } from '../../support/log.ts';
import { PATIENCE_MS } from '../../support/patience.ts';

const clock = systemClock;
/** A clock that the test moves. */
const heldClock = () => ({
  ...systemClock,
  ms: 0,
  now() {
    return new Date(this.ms);
  },
});
const process = (store: RateLimitStore, windowMs = 60_000) => createRateLimiter({ store, clock, windowMs });

/** A store that keeps one long window and counts round trips. */
function countingStore() {
  const used = new Map<string, number>();
  let trips = 0;
  return {
    trips: () => trips,
    used: (key: string) => used.get(key) ?? 0,
    async add(key: string, points: number) {
      trips++;
      await Promise.resolve();
      used.set(key, (used.get(key) ?? 0) + points);
      return { used: used.get(key) ?? 0, resetMs: 60_000 };
    },
  };
}

describe('a rate limit', () => {
  it('grants exactly the limit to one process, and counts down to nothing', async () => {
    const limiter = process(countingStore());
    const quotas = [];
    for (let i = 0; i < 65; i++) quotas.push(await limiter.take('k', 60, 1));
    expect(quotas.map(({ remaining }) => remaining).slice(0, 60)).toEqual(
      Array.from({ length: 60 }, (_, i) => 59 - i),
    );
    expect(quotas.filter(({ allowed }) => allowed)).toHaveLength(60);
    expect(quotas.at(-1)).toMatchObject({ allowed: false, limit: 60, remaining: 0 });
  });

  it('costs one round trip for 5 % of the limit, and none once the limit is used up', async () => {
    const store = countingStore();
    const limiter = process(store);
    for (let i = 0; i < 1_000; i++) await limiter.take('k', 600, 1);
    expect(store.trips()).toBe(20);
  });

  it('reserves once when many requests come at the same time', async () => {
    const store = countingStore();
    const limiter = process(store);
    const quotas = await Promise.all(Array.from({ length: 30 }, () => limiter.take('k', 600, 1)));
    expect(quotas.every(({ allowed }) => allowed)).toBe(true);
    expect(store.trips()).toBe(1);
  });

  it('keeps keys apart', async () => {
    const limiter = process(countingStore());
    expect((await limiter.take('a', 1, 1)).allowed).toBe(true);
    expect((await limiter.take('a', 1, 1)).allowed).toBe(false);
    expect((await limiter.take('b', 1, 1)).allowed).toBe(true);
  });

  it('never grants more than the limit, and refuses at most a chunk early for each other process', async () => {
    const request = fc.record({ process: fc.nat(3), cost: fc.integer({ min: 1, max: 4 }) });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 200 }),
        fc.array(request, { maxLength: 300 }),
        fc.boolean(),
        async (limit, requests, together) => {
          const store = countingStore();
          const processes = Array.from({ length: 4 }, () => process(store));
          const take = async ({ process: p, cost }: (typeof requests)[number]) => ({
            cost,
            quota: await processes[p]?.take('k', limit, cost),
          });
          const taken = [];
          if (together) taken.push(...(await Promise.all(requests.map(take))));
          else for (const one of requests) taken.push(await take(one));

          const granted = taken
            .filter(({ quota }) => quota?.allowed)
            .reduce((sum, { cost }) => sum + cost, 0);
          expect(granted).toBeLessThanOrEqual(limit);
          const refused = taken.some(({ quota }) => !quota?.allowed);
          // A process reserves a chunk or what one request costs, and may be left with all of it but one point.
          const chunk = Math.max(Math.ceil(limit * 0.05), 4);
          if (refused) expect(granted).toBeGreaterThanOrEqual(limit - 4 * chunk);
        },
      ),
    );
  });
});

describe('a shared store', () => {
  let db: TestDatabase;
  let store: RateLimitStore;
  let close: () => Promise<unknown>;
  beforeAll(async () => {
    db = await createTestDatabase(inject('postgresUrl'));
    close = () => db.close();
    store = createSharedStore({ kind: 'postgres', pool: db.pool });
    if (inject('queue') === 'redis') {
      const redis = await connectRedis({
        url: inject('redisUrl'),
        name: 'test',
        whileDown: 'fail',
        log: silentLog,
      });
      store = createSharedStore({ kind: 'redis', redis, prefix: `test-${Date.now()}` });
      close = () => Promise.all([redis.quit(), db.close()]);
    }
  });
  afterAll(() => close());

  it('holds the limit over several processes', async () => {
    const processes = [process(store), process(store), process(store)];
    const quotas = await Promise.all(
      Array.from({ length: 300 }, async (_, i) => processes[i % 3]?.take('shared', 100, 1)),
    );
    const granted = quotas.filter((quota) => quota?.allowed).length;
    expect(granted).toBeLessThanOrEqual(100);
    expect(granted).toBeGreaterThanOrEqual(90);
  });

  it('begins anew when the window is over', async () => {
    const limiter = process(store, 1_000);
    expect((await limiter.take('window', 1, 1)).allowed).toBe(true);
    // The window may end between two calls.
    const refused = await eventually(
      () => limiter.take('window', 1, 1),
      ({ allowed }) => !allowed,
    );
    expect(refused.resetMs).toBeGreaterThan(0);
    expect(refused.resetMs).toBeLessThanOrEqual(1_000);
    await expect.poll(async () => (await limiter.take('window', 1, 1)).allowed).toBe(true);
  });
});

describe('without its store', () => {
  const failing = (fail: () => boolean): RateLimitStore => {
    const memory = createMemoryStore();
    return {
      add: async (...args) => {
        if (fail()) throw new Error('away');
        return memory.add(...args);
      },
    };
  };

  it('a process counts alone, and comes back to the store when it answers', async () => {
    let down = false;
    const held = heldClock();
    const shared = failing(() => down);
    const store = withMemoryFallback({ shared, clock: held, log: silentLog, timeoutMs: PATIENCE_MS });
    await store.add('k', 10, 60_000);
    down = true;
    expect((await store.add('k', 1, 60_000)).used).toBe(1);
    down = false;
    expect((await store.add('k', 1, 60_000)).used).toBe(2);
    held.ms += 2_000;
    expect((await store.add('k', 0, 60_000)).used).toBe(10);
  });

  it('a request waits for a silent one a quarter of a second at most, and the next ones not at all', async () => {
    let asked = 0;
    const silent = () => {
      asked++;
      return new Promise<never>(() => {});
    };
    const store = withMemoryFallback({
      shared: { add: silent },
      clock: heldClock(),
      log: silentLog,
      timeoutMs: 50,
    });
    const limiter = process(store);
    expect((await limiter.take('k', 10, 1)).allowed).toBe(true);
    for (let i = 0; i < 20; i++) await limiter.take('k', 10, 1);
    expect(asked).toBe(1);
    expect((await limiter.take('k', 10, 1)).allowed).toBe(false);
  });
});
