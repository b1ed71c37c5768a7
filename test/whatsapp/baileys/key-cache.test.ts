import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSharedKeys, KeyCache } from '../../../src/whatsapp/baileys/key-cache.ts';
import { MemoryKeyStore } from '../support/memory-key-store.ts';

const bytes = (text: string) => Buffer.from(text);
const textOf = (value: Uint8Array | undefined) => value && Buffer.from(value).toString();

function cacheOn(store: MemoryKeyStore, more: { lazyMs?: number; maxBytes?: number } = {}) {
  let lost = 0;
  const shared = createSharedKeys(more.maxBytes ?? 1_000_000);
  const cache = new KeyCache({ store, shared, lazyMs: more.lazyMs ?? 60_000, onLost: () => lost++ });
  return { cache, shared, timesLost: () => lost };
}

test('what is put is seen at once and durable after persist', async () => {
  const store = new MemoryKeyStore();
  const { cache } = cacheOn(store);
  cache.put([{ kind: 'session', id: 'a', value: bytes('1') }]);
  expect(textOf(await cache.get('session', 'a'))).toBe('1');
  expect(store.sets).toHaveLength(0);
  await cache.persist();
  expect(textOf(store.keys.get('session/a'))).toBe('1');
});

test('writes of one turn share one set, and the last value of a key wins', async () => {
  const store = new MemoryKeyStore();
  const { cache } = cacheOn(store);
  await Promise.all(
    [1, 2, 3].map(async (n) => {
      cache.put([
        { kind: 'session', id: `own ${n}`, value: bytes('x') },
        { kind: 'session', id: 'shared', value: bytes(`${n}`) },
      ]);
      await cache.persist();
    }),
  );
  expect(store.sets.map((set) => set.length)).toEqual([4]);
  expect(textOf(store.keys.get('session/shared'))).toBe('3');
});

test('a refused write rejects, stays, and goes with the next', async () => {
  const store = new MemoryKeyStore();
  const { cache } = cacheOn(store);
  store.failing = true;
  cache.put([{ kind: 'session', id: 'a', value: bytes('1') }]);
  await expect(cache.persist()).rejects.toThrow('down');
  store.failing = false;
  cache.put([{ kind: 'session', id: 'b', value: bytes('2') }]);
  await cache.persist();
  expect([...store.keys.keys()].sort()).toEqual(['session/a', 'session/b']);
});

test('a lost lease is reported', async () => {
  const store = new MemoryKeyStore();
  const { cache, timesLost } = cacheOn(store);
  store.leaseLost = true;
  cache.put([{ kind: 'session', id: 'a', value: bytes('1') }]);
  await expect(cache.persist()).rejects.toThrow();
  expect(timesLost()).toBe(1);
});

test('nobody asks: it becomes durable by itself', async () => {
  const store = new MemoryKeyStore();
  const { cache } = cacheOn(store, { lazyMs: 10 });
  cache.put([{ kind: 'lid-mapping', id: 'a', value: bytes('1') }]);
  await expect.poll(() => store.keys.size).toBe(1);
});

test('nothing is written after close', async () => {
  const store = new MemoryKeyStore();
  const { cache } = cacheOn(store, { lazyMs: 5 });
  cache.put([{ kind: 'session', id: 'a', value: bytes('1') }]);
  cache.close();
  await expect(cache.persist()).rejects.toThrow('closed');
  await sleep(20);
  expect(store.keys.size).toBe(0);
});

test('memory stays bounded, and what was dropped is read again', async () => {
  const store = new MemoryKeyStore();
  const { cache, shared } = cacheOn(store, { maxBytes: 20_000 });
  for (let i = 0; i < 200; i++) cache.put([{ kind: 'session', id: `${i}`, value: Buffer.alloc(500, i) }]);
  await cache.persist();
  expect(shared.calculatedSize).toBeLessThanOrEqual(20_000);
  for (let i = 0; i < 200; i++) expect((await cache.get('session', `${i}`))?.[0]).toBe(i);
});

test('prekeys are never held in memory', async () => {
  const store = new MemoryKeyStore();
  const { cache, shared } = cacheOn(store);
  cache.put(
    Array.from({ length: 812 }, (_, i) => ({ kind: 'pre-key', id: `${i}`, value: Buffer.alloc(64) })),
  );
  await cache.persist();
  await cache.get('pre-key', '5');
  expect(shared.size).toBe(0);
});

test('sessions that share the memory do not see each other’s keys', async () => {
  const shared = createSharedKeys(1_000_000);
  const make = (store: MemoryKeyStore) =>
    new KeyCache({ store, shared, lazyMs: 60_000, onLost: () => undefined });
  const first = make(new MemoryKeyStore());
  const second = make(new MemoryKeyStore());
  first.put([{ kind: 'session', id: 'a', value: bytes('mine') }]);
  await first.persist();
  expect(await second.get('session', 'a')).toBeUndefined();
});

type Step = { action: 'put' | 'delete' | 'persist' | 'read' | 'fail' | 'recover' | 'wait'; id: string };

/** Does a step on the cache and on a map that says what must be read. */
async function take(
  { action, id }: Step,
  value: string,
  world: { store: MemoryKeyStore; cache: KeyCache; model: Map<string, string> },
) {
  const { store, cache, model } = world;
  const steps: Record<Step['action'], () => unknown> = {
    put: () => {
      model.set(id, value);
      cache.put([{ kind: 'session', id, value: bytes(value) }]);
    },
    delete: () => {
      model.delete(id);
      cache.put([{ kind: 'session', id, value: null }]);
    },
    persist: () => void cache.persist().catch(() => undefined),
    read: async () => {
      if (!store.failing) expect(textOf(await cache.get('session', id))).toBe(model.get(id));
    },
    fail: () => {
      store.failing = true;
    },
    recover: () => {
      store.failing = false;
    },
    wait: () => sleep(0),
  };
  await steps[action]();
}

test('whatever happens in whatever order, a read gives the last put, and the store ends with it', async () => {
  const step: fc.Arbitrary<Step> = fc.record({
    action: fc.constantFrom('put', 'delete', 'persist', 'read', 'fail', 'recover', 'wait'),
    id: fc.constantFrom('a', 'b'),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const store = new MemoryKeyStore();
      const world = {
        store,
        cache: cacheOn(store, { maxBytes: 300 }).cache,
        model: new Map<string, string>(),
      };
      for (const [i, each] of steps.entries()) await take(each, `${i}`, world);
      store.failing = false;
      await world.cache.persist().catch(() => undefined);
      await world.cache.persist();
      for (const id of ['a', 'b']) expect(textOf(store.keys.get(`session/${id}`))).toBe(world.model.get(id));
    }),
    { numRuns: 150 },
  );
});
