import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import type { Lease } from '../../src/sessions-pool/leases.system.ts';
import { createSessionKeyStores, type SessionKeyStores } from '../../src/sessions-pool/session-key-store.ts';
import { LeaseLostError } from '../../src/whatsapp/session-key-store.ts';
import { cuttable, moveLease, seedHold } from '../features/messages/lane-fixture.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let db: TestDatabase;
let link: ReturnType<typeof cuttable>;
let stores: SessionKeyStores;
let lease: Lease;

beforeAll(async () => {
  db = await createTestDatabase(inject('postgresUrl'));
});
afterAll(() => db.close());
beforeEach(async () => {
  link = cuttable(db.database);
  stores = createSessionKeyStores({ database: link, vault: db.vault });
  lease = { ...(await seedHold(db)), attempts: 0 };
});

const text = (value: string) => Buffer.from(value);
const write = (id: string, value: string | null, kind = 'session') => ({
  kind,
  id,
  value: value === null ? null : text(value),
});
async function read(id: string, of = lease): Promise<string | undefined> {
  const value = (await stores.of(of).get('session', [id])).get(id);
  return value && Buffer.from(value).toString();
}

describe('keys', () => {
  it('come back as they were set', async () => {
    const value = fc.uint8Array({ maxLength: 200 });
    const word = fc.stringMatching(/^[\w.:@-]{1,20}$/);
    await fc.assert(
      fc.asyncProperty(fc.dictionary(word, value, { minKeys: 1 }), word, async (values, kind) => {
        const store = stores.of(lease);
        await store.set(Object.entries(values).map(([id, bytes]) => ({ kind, id, value: bytes })));
        const found = await store.get(kind, Object.keys(values));
        for (const [id, bytes] of Object.entries(values)) expect(found.get(id)).toEqual(Buffer.from(bytes));
        expect(found.size).toBe(Object.keys(values).length);
      }),
      { numRuns: 30 },
    );
  });

  it('are absent where nothing was set, or of another kind or session', async () => {
    await stores.of(lease).set([write('a', '1')]);
    const other = { ...(await seedHold(db, lease.accountId)), attempts: 0 };
    await expect(stores.of(lease).get('session', ['b'])).resolves.toEqual(new Map());
    await expect(stores.of(lease).get('sender-key', ['a'])).resolves.toEqual(new Map());
    await expect(stores.of(other).get('session', ['a'])).resolves.toEqual(new Map());
  });

  it('are deleted by null, and the last write of several to one key stands', async () => {
    await stores.of(lease).set([write('a', '1'), write('b', '1')]);
    await stores.of(lease).set([write('a', null), write('b', '2'), write('b', '3')]);
    await expect(read('a')).resolves.toBeUndefined();
    await expect(read('b')).resolves.toBe('3');
    await stores.of(lease).set([write('b', '4'), write('b', null), write('a', null), write('a', '5')]);
    await expect(read('b')).resolves.toBeUndefined();
    await expect(read('a')).resolves.toBe('5');
  });

  it('are sealed, each for its own place', async () => {
    await stores.of(lease).set([write('a', 'a very private key'), write('b', 'b')]);
    const { rows } = await db.owner.query<{ key_id: string; sealed: Buffer }>(
      'select key_id, sealed from session_keys where session_id = $1',
      [lease.sessionId],
    );
    expect(rows.some(({ sealed }) => sealed.includes('private'))).toBe(false);
    await db.owner.query(
      `update session_keys set sealed = (select sealed from session_keys where session_id = $1 and key_id = 'b')
       where session_id = $1 and key_id = 'a'`,
      [lease.sessionId],
    );
    await expect(read('a')).rejects.toThrow();
  });

  it('of many sessions are written and read in few transactions', async () => {
    const leases = await Promise.all(
      Array.from({ length: 20 }, async () => ({ ...(await seedHold(db)), attempts: 0 })),
    );
    for (const of of leases) await db.vault.of(of.accountId);
    await Promise.all(leases.map((of, i) => stores.of(of).set([write('a', `${i}`)])));
    expect(link.transactions).toBeLessThanOrEqual(2);
    link.transactions = 0;
    await expect(Promise.all(leases.map((of) => read('a', of)))).resolves.toEqual(
      leases.map((_, i) => `${i}`),
    );
    expect(link.transactions).toBeLessThanOrEqual(2);
  });

  it('of one session are written in the order asked, however many at once', async () => {
    const store = stores.of(lease);
    const writes = Array.from({ length: 100 }, (_, i) =>
      store.set([write('ratchet', `${i}`), write(`k${i}`, `${i}`)]),
    );
    writes.push(store.saveCredentials(text('last')));
    await Promise.all(writes);
    await expect(read('ratchet')).resolves.toBe('99');
    const { rows } = await db.owner.query('select from session_keys where session_id = $1', [
      lease.sessionId,
    ]);
    expect(rows).toHaveLength(101);
  });

  it('that nobody sets cost nothing', async () => {
    await stores.of(lease).set([]);
    await stores.of(lease).get('session', []);
    expect(link.transactions).toBe(0);
  });
});

describe('credentials', () => {
  it('come back as they were saved, sealed in between', async () => {
    const store = stores.of(lease);
    await expect(store.loadCredentials()).resolves.toBeUndefined();
    const secret = randomBytes(50);
    await store.saveCredentials(text('first'));
    await store.saveCredentials(secret);
    await expect(store.loadCredentials()).resolves.toEqual(secret);
    const { rows } = await db.owner.query('select sealed from session_credentials where session_id = $1', [
      lease.sessionId,
    ]);
    expect(rows[0].sealed.includes(secret)).toBe(false);
  });
});

describe('after the lease has moved on', () => {
  it('nothing is written, and the writer is told', async () => {
    const store = stores.of(lease);
    await store.set([write('a', 'mine')]);
    await store.saveCredentials(text('mine'));
    const moved = { ...(await moveLease(db, lease)), attempts: 0 };
    await expect(store.set([write('a', 'stale')])).rejects.toBeInstanceOf(LeaseLostError);
    await expect(store.set([write('a', null)])).rejects.toBeInstanceOf(LeaseLostError);
    await expect(store.saveCredentials(text('stale'))).rejects.toBeInstanceOf(LeaseLostError);
    await expect(read('a', moved)).resolves.toBe('mine');
    await expect(stores.of(moved).loadCredentials()).resolves.toEqual(text('mine'));
  });

  it('the stale holder does not slip through in one batch with the new one', async () => {
    const moved = { ...(await moveLease(db, lease)), attempts: 0 };
    for (const stale of [lease, moved]) await db.vault.of(stale.accountId);
    const results = await Promise.allSettled([
      stores.of(moved).set([write('a', 'fresh'), write('gone', null)]),
      stores.of(lease).set([write('a', 'stale'), write('b', 'stale')]),
    ]);
    expect(link.transactions).toBe(1);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    await expect(read('a', moved)).resolves.toBe('fresh');
    await expect(read('b', moved)).resolves.toBeUndefined();
  });

  it('and one session lost does not fail the others of the batch', async () => {
    const other = { ...(await seedHold(db)), attempts: 0 };
    await moveLease(db, lease);
    for (const { accountId } of [lease, other]) await db.vault.of(accountId);
    const results = await Promise.allSettled([
      stores.of(lease).set([write('a', 'stale')]),
      stores.of(other).set([write('a', 'fine')]),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
    await expect(read('a', other)).resolves.toBe('fine');
  });
});

describe('while the database is away', () => {
  it('writing fails as such, not as a lost lease, and later writes go on', async () => {
    const store = stores.of(lease);
    link.isCut = true;
    await expect(store.set([write('a', '1')])).rejects.toMatchObject({
      code: 'service.database_unavailable',
    });
    await expect(store.saveCredentials(text('x'))).rejects.toMatchObject({
      code: 'service.database_unavailable',
    });
    link.isCut = false;
    await store.set([write('a', '2')]);
    await expect(read('a')).resolves.toBe('2');
  });
});
