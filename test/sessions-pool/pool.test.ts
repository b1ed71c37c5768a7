import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { systemClock } from '../../src/lib/system-clock.ts';
import type { PoolParts } from '../../src/sessions-pool/pool.ts';
import { type Cuttable, cuttable } from '../features/messages/lane-fixture.ts';
import { createTestDatabase, seedAccount, seedSession, type TestDatabase } from '../support/database.ts';
import { expire, LEASE_MS, leaseNow, sessionNow, startPool, type TestPool } from './support/pool-fixture.ts';

let db: TestDatabase;
let account: string;
let running: TestPool[];
let cuts: Cuttable[];

beforeAll(async () => {
  db = await createTestDatabase(inject('postgresUrl'));
});
afterAll(() => db.close());
beforeEach(async () => {
  account = await seedAccount(db);
  running = [];
  cuts = [];
});
afterEach(async () => {
  for (const link of cuts) link.isCut = false;
  await Promise.all(running.map(({ pool }) => pool.drain()));
  await db.owner.query('delete from sessions');
});

interface Worker extends TestPool {
  link: Cuttable;
}

const self = { phone: '919876500000', device: 3 };

/** A worker whose sockets open at once, on a link to the database that can be cut. */
async function start(more: Partial<PoolParts> = {}): Promise<Worker> {
  const link = cuttable(db.database);
  const worker = await startPool(db, { database: link, ...more });
  worker.network.script = (socket) => socket.handlers.onOpen(self);
  running.push(worker);
  cuts.push(link);
  return { ...worker, link };
}
const seed = (count: number) =>
  Promise.all(
    Array.from({ length: count }, () =>
      seedSession(db, account, { status: 'disconnected', phone: self.phone }),
    ),
  );
const held = ({ pool }: TestPool) => [...pool.states().values()].reduce((sum, n) => sum + n, 0);
const open = ({ network }: TestPool) => network.sockets.filter(({ isClosed }) => !isClosed).length;
const statuses = async (ids: string[]) =>
  new Set(await Promise.all(ids.map(async (id) => (await sessionNow(db, id)).status)));
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
/** The worker's link to the database is cut, and stays so until its leases have run out. */
async function lose(worker: Worker): Promise<void> {
  worker.link.isCut = true;
  await expect.poll(() => worker.link.underWay).toBe(0);
  await expire(db, worker);
}
/** The worker has noticed: its next tries failed as well. */
async function tryInVain({ link }: Worker): Promise<void> {
  const before = link.refusals;
  await expect.poll(() => link.refusals).toBeGreaterThan(before + 5);
}
const renewed = async (ids: readonly string[], after = new Date()) => {
  const leases = await Promise.all(ids.map((id) => leaseNow(db, id)));
  return leases.every((lease) => lease?.expires_at && lease.expires_at > after);
};

describe('workers', () => {
  it('share the sessions fairly, and hand some over to one that joins', async () => {
    const ids = await seed(9);
    const a = await start();
    await expect.poll(() => held(a)).toBe(9);
    const b = await start();
    await expect.poll(() => [held(a), held(b)]).toEqual([5, 4]);
    await expect.poll(() => [open(a), open(b)]).toEqual([5, 4]);
    await expect.poll(() => statuses(ids)).toEqual(new Set(['connected']));
    const epochs = await Promise.all(ids.map(async (id) => (await leaseNow(db, id))?.epoch));
    expect(epochs.filter((epoch) => epoch === '2')).toHaveLength(4);
  });

  it('hand everything over when they leave, without logging out', async () => {
    const ids = await seed(4);
    const released: string[] = [];
    const a = await start({ onReleased: (freed) => released.push(...freed) });
    await expect.poll(() => statuses(ids)).toEqual(new Set(['connected']));
    await a.pool.drain();
    expect(open(a)).toBe(0);
    expect(a.network.sockets.some(({ loggedOut }) => loggedOut)).toBe(false);
    expect(released.sort()).toEqual([...ids].sort());
    for (const id of ids)
      await expect(leaseNow(db, id)).resolves.toMatchObject({ owner: null, wanted: true });
    const { rows } = await db.owner.query('select from workers where id = $1', [a.workerId]);
    expect(rows).toEqual([]);
    const b = await start();
    await expect.poll(() => open(b)).toBe(4);
  });

  it('take over from one that died, once its leases have run out', async () => {
    const ids = await seed(3);
    const a = await start();
    await expect.poll(() => open(a)).toBe(3);
    await lose(a);
    const b = await start();
    await expect.poll(() => open(b)).toBe(3);
    for (const id of ids)
      await expect(leaseNow(db, id)).resolves.toMatchObject({ owner: b.workerId, epoch: '2' });
  });

  it('that come back after that close their sockets and write nothing', async () => {
    const [id] = await seed(1);
    if (id === undefined) throw new Error('no session');
    const a = await start();
    await expect.poll(() => open(a)).toBe(1);
    await lose(a);
    const b = await start();
    await expect.poll(() => open(b)).toBe(1);
    await expect.poll(async () => (await sessionNow(db, id)).status).toBe('connected');
    a.link.isCut = false;
    await expect.poll(() => open(a)).toBe(0);
    await expect.poll(() => held(a)).toBe(0);
    await expect(sessionNow(db, id)).resolves.toMatchObject({ status: 'connected' });
    expect(open(b)).toBe(1);
  });

  it('close a socket whose lease another worker has taken', async () => {
    const [id] = await seed(1);
    const a = await start();
    await expect.poll(() => open(a)).toBe(1);
    await db.owner.query(
      `update session_leases set owner = gen_random_uuid(), epoch = epoch + 1, expires_at = now() + interval '1 h' where session_id = $1`,
      [id],
    );
    await expect.poll(() => open(a)).toBe(0);
    expect(a.network.sockets).toHaveLength(1);
  });
});

describe('while the database is away', () => {
  it('sockets stay open, and go on under the same lease', async () => {
    const ids = await seed(3);
    const a = await start();
    await expect.poll(() => open(a)).toBe(3);
    await lose(a);
    await tryInVain(a);
    expect(open(a)).toBe(3);
    a.link.isCut = false;
    await expect.poll(() => renewed(ids)).toBe(true);
    expect(a.network.sockets).toHaveLength(3);
    expect(open(a)).toBe(3);
    for (const id of ids)
      await expect(leaseNow(db, id)).resolves.toMatchObject({ owner: a.workerId, epoch: '1' });
  });

  it('the first worker that sees it again does not take what the others are about to renew', async () => {
    const timings = { leaseMs: LEASE_MS, renewMs: 100, claimMs: 20, sweepMs: 50 };
    const [a, b] = [
      await start({ clock: systemClock, timings }),
      await start({ clock: systemClock, timings }),
    ];
    const ids = await seed(6);
    await expect.poll(() => [open(a), open(b)]).toEqual([3, 3]);
    for (const worker of [a, b]) await lose(worker);
    for (const worker of [a, b]) await tryInVain(worker);
    a.link.isCut = false;
    // Time enough to claim, were it to.
    await pause(300);
    b.link.isCut = false;
    await expect.poll(() => renewed(ids)).toBe(true);
    expect([open(a), open(b)]).toEqual([3, 3]);
    for (const id of ids) await expect(leaseNow(db, id)).resolves.toMatchObject({ epoch: '1' });
  });
});

describe('a session is not lost', () => {
  it('when a claim was committed and its answer never came', async () => {
    const a = await start();
    const through = a.link.systemOnce;
    let lost = 0;
    a.link.systemOnce = async (work) => {
      const result = await through(work);
      // Claims answer with a list of leases.
      if (lost === 0 && Array.isArray(result) && result.length > 0 && typeof result[0] === 'object') {
        lost++;
        throw new Error('connection lost');
      }
      return result;
    };
    const [id] = await seed(1);
    if (id === undefined) throw new Error('no session');
    await expect.poll(() => lost).toBe(1);
    await expire(db, a);
    await expect.poll(() => open(a)).toBe(1);
    expect(lost).toBe(1);
    await expect(leaseNow(db, id)).resolves.toMatchObject({ epoch: '2' });
  });

  it('when its socket never closes: it is given up, and the others are renewed meanwhile', async () => {
    const ids = await seed(4);
    const a = await start();
    await expect.poll(() => open(a)).toBe(4);
    for (const socket of a.network.sockets) socket.close = () => new Promise(() => undefined);
    const b = await start();
    await expect.poll(() => open(b)).toBe(2);
    const { rows } = await db.owner.query<{ now: Date }>(
      `select now() + make_interval(secs => $1 / 1000.0) as now`,
      [LEASE_MS],
    );
    await expect.poll(() => renewed(ids, rows[0]?.now)).toBe(true);
    const owners = await Promise.all(ids.map((id) => leaseNow(db, id)));
    expect(owners.filter((lease) => lease?.owner === a.workerId && lease.epoch === '1')).toHaveLength(2);
    expect(owners.filter((lease) => lease?.owner === b.workerId && lease.epoch === '2')).toHaveLength(2);
  });

  it('when it is wanted again right after it had stopped', async () => {
    const [id] = await seed(1);
    if (id === undefined) throw new Error('no session');
    const a = await start();
    await expect.poll(() => open(a)).toBe(1);
    a.network.last.end(440);
    await expect.poll(async () => (await sessionNow(db, id)).status).toBe('replaced');
    await db.owner.query(
      `update sessions set generation = generation + 1, status = 'starting' where id = $1`,
      [id],
    );
    await db.owner.query('update session_leases set wanted = true where session_id = $1', [id]);
    a.pool.claimSoon();
    await expect.poll(async () => (await sessionNow(db, id)).status).toBe('connected');
  });
});
