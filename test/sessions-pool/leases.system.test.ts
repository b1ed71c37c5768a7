import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { newUuid } from '../../src/lib/ids.ts';
import * as leases from '../../src/sessions-pool/leases.system.ts';
import { createTestDatabase, seedAccount, seedSession, type TestDatabase } from '../support/database.ts';
import { inOpenTransaction } from '../support/open-transaction.ts';

let db: TestDatabase;
let account: string;
let sessions: string[];
const [a, b] = [newUuid(), newUuid()];
const TTL_MS = 60_000;

beforeAll(async () => {
  db = await createTestDatabase(inject('postgresUrl'));
  account = await seedAccount(db);
});
afterAll(() => db.close());
beforeEach(async () => {
  await db.owner.query('delete from sessions');
  await db.owner.query('delete from workers');
  sessions = [];
  for (let i = 0; i < 10; i++) sessions.push(await seedSession(db, account));
});

const claim = (id: string, more: Partial<leases.Claim> = {}) =>
  db.database.systemOnce((tx) =>
    leases.claim(tx, {
      worker: { id, mode: 'test' },
      limit: 100,
      ttlMs: TTL_MS,
      holding: [],
      takeExpired: true,
      ...more,
    }),
  );
const renew = (id: string, held: leases.Lease[]) =>
  db.database.systemOnce((tx) => leases.renew(tx, id, TTL_MS, held));
const release = (held: leases.Lease[]) => db.database.systemOnce((tx) => leases.release(tx, held));
const beat = (id: string, leaving = false) =>
  db.database.systemOnce((tx) => leases.beat(tx, { id, mode: 'test', leaving, staleAfterMs: 8_000 }));
const set = (change: string) => db.owner.query(`update session_leases set ${change}`);
const ids = (held: leases.Lease[]) => held.map(({ sessionId }) => sessionId).sort();
const runOut = () => set(`expires_at = now() - interval '1 s'`);

describe('claiming', () => {
  it('takes what nobody holds, up to the limit', async () => {
    const first = await claim(a, { limit: 4 });
    expect(first).toHaveLength(4);
    expect(first[0]).toEqual({
      sessionId: expect.any(String),
      accountId: account,
      mode: 'test',
      epoch: 1,
      attempts: 0,
    });
    const second = await claim(b);
    expect(ids([...first, ...second])).toEqual([...sessions].sort());
    await expect(claim(a)).resolves.toEqual([]);
  });

  it('never gives one session to two workers, however many claim at once', async () => {
    const workers = Array.from({ length: 8 }, newUuid);
    const claims = await Promise.all(
      Array.from({ length: 40 }, (_, i) => claim(workers[i % 8] ?? a, { limit: 2 })),
    );
    expect(ids(claims.flat())).toEqual([...sessions].sort());
  });

  it('does not wait for a session that somebody is writing to', async () => {
    const claimed = await inOpenTransaction(db.owner, async (writer) => {
      await writer.query('select from session_leases where session_id = $1 for share', [sessions[0]]);
      return claim(a);
    });
    expect(ids(claimed)).toEqual(sessions.slice(1).sort());
  });

  it('raises the epoch each time', async () => {
    const [first] = await claim(a, { limit: 1 });
    if (first === undefined) throw new Error('nothing claimed');
    await release([first]);
    await runOut();
    const again = (await claim(b)).find(({ sessionId }) => sessionId === first.sessionId);
    expect(again).toMatchObject({ epoch: 2 });
  });

  it('takes a lease that ran out, unless told to leave those', async () => {
    await claim(a, { limit: 3 });
    await expect(claim(b, { limit: 3 })).resolves.toHaveLength(3);
    await runOut();
    await expect(claim(b, { takeExpired: false })).resolves.toHaveLength(4);
    await expect(claim(b, { holding: sessions })).resolves.toEqual([]);
    await expect(claim(newUuid())).resolves.toHaveLength(6);
  });

  it('leaves sessions that need no socket, are not due yet, or are of the other mode', async () => {
    const [unwanted, early] = sessions;
    const live = await seedSession(db, account, { mode: 'live' });
    await db.owner.query('update session_leases set wanted = false where session_id = $1', [unwanted]);
    await db.owner.query(
      `update session_leases set next_attempt_at = now() + interval '1 min' where session_id = $1`,
      [early],
    );
    const claimed = ids(await claim(a));
    expect(claimed).toHaveLength(8);
    for (const left of [unwanted, early, live]) expect(claimed).not.toContain(left);
  });

  it('hands the back-off over to the next owner', async () => {
    const [lease] = await claim(a, { limit: 1 });
    if (lease === undefined) throw new Error('nothing claimed');
    await db.database.systemOnce((tx) => leases.recordAttempts(tx, lease, 3, 0));
    await db.database.systemOnce((tx) => leases.recordAttempts(tx, { ...lease, epoch: 0 }, 9, 1_000_000));
    await release([lease]);
    const taken = (await claim(b)).find(({ sessionId }) => sessionId === lease.sessionId);
    expect(taken).toMatchObject({ attempts: 3, epoch: 2 });
  });
});

describe('renewing', () => {
  it('extends the leases that are still held, and tells which', async () => {
    const held = await claim(a);
    await runOut();
    const [moved] = held;
    if (moved === undefined) throw new Error('nothing claimed');
    await claim(b, { limit: 1 });
    const { rows } = await db.owner.query('select session_id from session_leases where owner = $1', [b]);
    const renewed = await renew(a, held);
    expect(renewed).toEqual(new Set(ids(held).filter((id) => id !== rows[0].session_id)));
    await expect(claim(b)).resolves.toEqual([]);
  });

  it('lets run out what the worker does not know that it holds', async () => {
    await claim(a);
    await runOut();
    await renew(a, []);
    await expect(claim(b)).resolves.toHaveLength(10);
  });

  it('does not renew under an old epoch, nor for another worker', async () => {
    const held = await claim(a);
    await expect(
      renew(
        a,
        held.map((lease) => ({ ...lease, epoch: lease.epoch - 1 })),
      ),
    ).resolves.toEqual(new Set());
    await expect(renew(b, held)).resolves.toEqual(new Set());
  });
});

describe('releasing', () => {
  it('frees what is held for the next claim, and nothing that has moved on', async () => {
    const held = await claim(a);
    await release(held.slice(0, 4));
    const taken = await claim(b);
    expect(ids(taken)).toEqual(ids(held.slice(0, 4)));
    await release(held.slice(0, 4));
    await expect(claim(newUuid())).resolves.toEqual([]);
  });

  it('and renewing and writing under the leases do not deadlock', async () => {
    const held = await claim(a);
    const shuffled = () => [...held].sort(() => Math.random() - 0.5);
    const lock = (of: leases.Lease[]) =>
      db.database.system((tx) =>
        tx.query('select from session_leases where session_id = any($1) order by session_id for share', [
          ids(of),
        ]),
      );
    const rounds = Array.from({ length: 60 }, (_, i) =>
      i % 2 === 0 ? renew(a, shuffled()) : lock(shuffled()),
    );
    await expect(Promise.all(rounds)).resolves.toHaveLength(60);
  });
});

describe('workers', () => {
  it('count each other while they beat, and sessions while they are wanted', async () => {
    await expect(beat(a)).resolves.toEqual({ workers: 1, sessions: 10, owned: 0 });
    await beat(b);
    await claim(a, { limit: 3 });
    await expect(beat(a)).resolves.toEqual({ workers: 2, sessions: 10, owned: 3 });
    await expect(beat(b, true)).resolves.toMatchObject({ workers: 1 });
    await expect(beat(a)).resolves.toMatchObject({ workers: 1 });
    await beat(b);
    await db.owner.query(`update workers set beat_at = now() - interval '9 s' where id = $1`, [b]);
    await expect(beat(a)).resolves.toMatchObject({ workers: 1 });
    await beat(b);
    await db.database.systemOnce((tx) => leases.leave(tx, b));
    await expect(beat(a)).resolves.toMatchObject({ workers: 1 });
  });
});

describe('looking for work', () => {
  it('finds unsent messages that are due, and changed wishes, of own sessions only', async () => {
    const held = await claim(a, { limit: 6 });
    await claim(b);
    const [unsent, later, changed, asked, restarted] = held.map(({ sessionId }) => sessionId);
    for (const { sessionId } of held) {
      await db.database.systemOnce((tx) => leases.recordGeneration(tx, { sessionId, epoch: 1 }, 1));
    }
    const message = (of: string | undefined, notBefore: Date | null) =>
      db.owner.query(
        `insert into messages (id, account_id, mode, session_id, direction, type, wire_id, status, accepted_at, not_before)
         values ($1, $2, 'test', $3, 'outbound', 'text', $1::uuid::text, 'queued', now(), $4)`,
        [newUuid(), account, of, notBefore],
      );
    await message(unsent, null);
    await message(later, new Date(Date.now() + 60_000));
    await db.owner.query(`update sessions set desired = 'logged_out' where id = $1`, [changed]);
    await db.owner.query(`update sessions set pairing_phone = '1' where id = $1`, [asked]);
    await db.owner.query('update sessions set generation = 2 where id = $1', [restarted]);
    const found = await db.database.systemOnce((tx) => leases.findWork(tx, a));
    expect(found.sort()).toEqual([unsent, changed, asked, restarted].sort());
  });
});
