import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { createSessionChanges } from '../../../src/features/sessions/session-changes.ts';
import {
  createSessionReports,
  type SessionReports,
} from '../../../src/features/sessions/session-reports.service.ts';
import {
  createSessionsService,
  type SessionsService,
} from '../../../src/features/sessions/sessions.service.ts';
import type { Clock } from '../../../src/lib/clock.ts';
import { newUuid } from '../../../src/lib/ids.ts';
import { systemClock } from '../../../src/lib/system-clock.ts';
import { createNotices, type Notices } from '../../../src/platform/db/notices.ts';
import { contextOf } from '../../support/context.ts';
import { createTestDatabase, seedAccount, type TestDatabase } from '../../support/database.ts';
import { silentLog } from '../../support/log.ts';

type Hold = Parameters<SessionReports['read']>[0];

let db: TestDatabase;
let notices: Notices;
let account: string;
let sessions: SessionsService;
/** Of the same sessions, for waiting in vain. */
let hasty: SessionsService;
let reports: SessionReports;
let woken: { id: string; mode: string; owner: string | undefined }[];
/** What a worker would do when it is woken; at first nobody works. */
let worker: (hold: Hold) => Promise<unknown>;

/** Seconds pass thirty times as fast, so that waiting in vain is quick. */
const hastyClock: Clock = { ...systemClock, now: () => new Date(start + (Date.now() - start) * 30) };
const start = Date.now();
const owner = newUuid();

beforeAll(async () => {
  db = await createTestDatabase(inject('postgresUrl'));
  notices = createNotices({ url: db.url, clock: systemClock, log: silentLog });
  const changes = await createSessionChanges(notices);
  reports = createSessionReports({ database: db.database, newUuid, onFact: () => undefined });
  const waker = {
    wake: (session: { id: string; mode: 'test' | 'live'; owner: string | undefined }) => {
      woken.push(session);
      void worker({ sessionId: session.id, accountId: account, mode: session.mode, epoch: 0 });
    },
  };
  const shared = { database: db.database, changes, waker, newUuid };
  sessions = createSessionsService({ ...shared, clock: systemClock });
  hasty = createSessionsService({ ...shared, clock: hastyClock });
});
afterAll(async () => {
  await notices.close();
  await db.close();
});
beforeEach(async () => {
  account = await seedAccount(db);
  woken = [];
  worker = async () => undefined;
});

const ctx = (mode: 'test' | 'live' = 'test') => contextOf(account, mode);
const create = (more = {}, by = sessions) =>
  by.create(ctx(), { name: 'Shop', autoPair: false, pacing: null, ...more });
const inAnHour = () => new Date(Date.now() + 3_600_000);
const self = { phone: '919876500000', device: 1 };
const link = async (hold: Hold) => {
  await reports.linked(hold, self);
  await reports.status(hold, { status: 'connected', wanted: true });
};
async function lease(id: string) {
  return (
    await db.owner.query('select wanted, attempts, owner from session_leases where session_id = $1', [id])
  ).rows[0];
}

describe('creating a session', () => {
  it('makes one that any worker of the mode may claim, and wakes them', async () => {
    const row = await create({ pacing: { interval_ms: 5 } });
    expect(row).toMatchObject({
      name: 'Shop',
      mode: 'test',
      status: 'starting',
      phone: null,
      pacing: { interval_ms: 5 },
    });
    expect(woken).toEqual([{ id: row.id, mode: 'test', owner: undefined }]);
    await expect(lease(row.id)).resolves.toEqual({ wanted: true, attempts: 0, owner: null });
    await expect(sessions.get(ctx(), row.id)).resolves.toEqual(row);
  });

  it('with auto_pair answers when it is connected', async () => {
    worker = link;
    await expect(create({ autoPair: true })).resolves.toMatchObject({
      status: 'connected',
      phone: self.phone,
    });
  });

  it('with auto_pair answers with what there is where no worker comes', async () => {
    await expect(create({ autoPair: true }, hasty)).resolves.toMatchObject({
      status: 'starting',
      auto_pair: true,
    });
  });

  it('refuses auto_pair in live mode, naming the field', async () => {
    const live = sessions.create(ctx('live'), { name: 'x', autoPair: true, pacing: null });
    await expect(live).rejects.toMatchObject({
      code: 'session.auto_pair_test_only',
      fields: [{ pointer: '/auto_pair' }],
    });
  });
});

describe('listing sessions', () => {
  it('shows the newest first, a page at a time, of this account and mode only', async () => {
    const made = [await create(), await create(), await create()].map(({ id }) => id).reverse();
    await sessions.create(ctx('live'), { name: 'live', autoPair: false, pacing: null });
    await sessions.create(contextOf(await seedAccount(db)), {
      name: 'theirs',
      autoPair: false,
      pacing: null,
    });
    const page = await sessions.list(ctx(), { limit: 2 });
    expect(page.map(({ id }) => id)).toEqual(made.slice(0, 2));
    const rest = await sessions.list(ctx(), { limit: 2, after: made[1] });
    expect(rest.map(({ id }) => id)).toEqual(made.slice(2));
  });
});

describe("another account's session, or one of the other mode, or none", () => {
  const calls: [string, (of: ReturnType<typeof contextOf>, id: string) => Promise<unknown>][] = [
    ['get', (of, id) => sessions.get(of, id)],
    ['update', (of, id) => sessions.update(of, id, { name: 'mine' })],
    ['remove', (of, id) => sessions.remove(of, id)],
    ['restart', (of, id) => sessions.restart(of, id)],
    ['logout', (of, id) => sessions.logout(of, id)],
    ['qr', (of, id) => sessions.qr(of, id)],
    ['pairingCode', (of, id) => sessions.pairingCode(of, id, '919876543210')],
  ];
  it.each(calls)('%s does not find it, and changes nothing', async (_, call) => {
    const row = await create();
    woken = [];
    const notFound = { code: 'session.not_found', definition: { status: 404 } };
    await expect(call(contextOf(await seedAccount(db)), row.id)).rejects.toMatchObject(notFound);
    await expect(call(ctx('live'), row.id)).rejects.toMatchObject(notFound);
    await expect(call(ctx(), newUuid())).rejects.toMatchObject(notFound);
    await expect(sessions.get(ctx(), row.id)).resolves.toEqual(row);
    expect(woken).toEqual([]);
  });
});

describe('changing a session', () => {
  it('changes what is given and wakes its owner', async () => {
    const { id } = await create({ pacing: { typing: true } });
    await db.owner.query(
      `update session_leases set owner = $2, expires_at = now() + interval '1 h' where session_id = $1`,
      [id, owner],
    );
    woken = [];
    await expect(sessions.update(ctx(), id, { name: 'Till' })).resolves.toMatchObject({
      name: 'Till',
      pacing: { typing: true },
    });
    await expect(sessions.update(ctx(), id, { pacing: { interval_ms: 5 } })).resolves.toMatchObject({
      pacing: { typing: true, interval_ms: 5 },
    });
    await expect(sessions.update(ctx(), id, { pacing: null })).resolves.toMatchObject({
      name: 'Till',
      pacing: null,
    });
    expect(woken).toEqual([1, 2, 3].map(() => ({ id, mode: 'test', owner })));
  });
});

describe('restarting', () => {
  it('starts afresh a session that had stopped', async () => {
    const { id } = await create();
    await reports.status(
      { sessionId: id, accountId: account, mode: 'test', epoch: 0 },
      { status: 'banned', code: 'x', detail: 'x', wanted: false },
    );
    await db.owner.query(
      `update session_leases set attempts = 9, next_attempt_at = now() + interval '1 h' where session_id = $1`,
      [id],
    );
    await expect(sessions.restart(ctx(), id)).resolves.toMatchObject({
      status: 'starting',
      status_code: null,
      generation: 2,
    });
    await expect(lease(id)).resolves.toMatchObject({ wanted: true, attempts: 0 });
  });
});

describe('removing', () => {
  it('hides the session at once and asks a worker to log it out', async () => {
    const { id } = await create();
    await sessions.remove(ctx(), id);
    await expect(sessions.get(ctx(), id)).rejects.toMatchObject({ code: 'session.not_found' });
    await expect(sessions.list(ctx(), { limit: 10 })).resolves.toEqual([]);
    await expect(sessions.restart(ctx(), id)).rejects.toMatchObject({ code: 'session.not_found' });
    const { rows } = await db.owner.query('select desired from sessions where id = $1', [id]);
    expect(rows).toEqual([{ desired: 'deleted' }]);
  });

  it('is final, also for a logout that found the session a moment before', async () => {
    const { id } = await create();
    const removed = await Promise.allSettled([sessions.remove(ctx(), id), sessions.remove(ctx(), id)]);
    expect(removed.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    await expect(sessions.logout(ctx(), id)).rejects.toMatchObject({ code: 'session.not_found' });
    const { rows } = await db.owner.query('select desired from sessions where id = $1', [id]);
    expect(rows).toEqual([{ desired: 'deleted' }]);
  });
});

describe('logging out', () => {
  it('answers when WhatsApp has confirmed', async () => {
    const { id } = await create();
    worker = async (hold) => {
      await reports.eraseLink(hold);
      await reports.status(hold, { status: 'logged_out', wanted: false });
    };
    await expect(sessions.logout(ctx(), id)).resolves.toMatchObject({
      status: 'logged_out',
      desired: 'logged_out',
      phone: null,
    });
  });

  it('answers with what there is where no worker comes', async () => {
    const { id } = await create();
    await expect(hasty.logout(ctx(), id)).resolves.toMatchObject({
      status: 'starting',
      desired: 'logged_out',
    });
  });
});

describe('the QR code', () => {
  const hold = (id: string): Hold => ({ sessionId: id, accountId: account, mode: 'test', epoch: 0 });
  const show = async (id: string, text: string, expiresAt = inAnHour()) => {
    await reports.status(hold(id), { status: 'pairing', wanted: true });
    await reports.qr(hold(id), { text, expiresAt });
  };

  it('is waited for until the worker shows the first one', async () => {
    const { id } = await create();
    const waiting = sessions.qr(ctx(), id);
    await show(id, '2@first');
    await expect(waiting).resolves.toMatchObject({ qr: '2@first', status: 'pairing' });
  });

  it('that has expired is not shown: the next one is waited for', async () => {
    const { id } = await create();
    await show(id, '2@old', new Date(Date.now() - 1_000));
    const waiting = sessions.qr(ctx(), id);
    await show(id, '2@new');
    await expect(waiting).resolves.toMatchObject({ qr: '2@new' });
  });

  it('is not there yet, not there any more, or not needed', async () => {
    const { id } = await create();
    await expect(hasty.qr(ctx(), id)).rejects.toMatchObject({ code: 'session.not_ready', retryAfter: 2 });
    const status = 'starting';
    await reports.status(hold(id), { status, code: 'session.x', detail: 'No route.', wanted: true });
    await expect(hasty.qr(ctx(), id)).rejects.toMatchObject({
      code: 'session.not_ready',
      detail: 'No route.',
    });
    await reports.status(hold(id), {
      status: 'failed',
      code: 'session.pairing_timed_out',
      detail: 'x',
      wanted: false,
    });
    await expect(hasty.qr(ctx(), id)).rejects.toMatchObject({ code: 'session.no_qr' });
    await link(hold(id));
    await expect(hasty.qr(ctx(), id)).rejects.toMatchObject({ code: 'session.already_linked' });
    await sessions.restart(ctx(), id);
    await expect(hasty.qr(ctx(), id)).rejects.toMatchObject({ code: 'session.already_linked' });
  });
});

describe('a pairing code', () => {
  const phone = '919876543210';
  async function pairing(): Promise<string> {
    const { id } = await create();
    await reports.status(
      { sessionId: id, accountId: account, mode: 'test', epoch: 0 },
      { status: 'pairing', wanted: true },
    );
    return id;
  }

  it('comes from the worker, who is told the number', async () => {
    const id = await pairing();
    worker = async (hold) => {
      const asked = (await reports.read(hold))?.pairing_phone ?? '';
      await reports.pairingAnswer(hold, { phone: asked, code: `CODE${asked.slice(-4)}` });
    };
    await expect(sessions.pairingCode(ctx(), id, phone)).resolves.toBe('CODE3210');
    await expect(sessions.pairingCode(ctx(), id, '14155550100'), 'asked again').resolves.toBe('CODE0100');
  });

  it('may be refused by WhatsApp, which is said', async () => {
    const id = await pairing();
    worker = (hold) => reports.pairingAnswer(hold, { phone, error: 'rate-overlimit' });
    await expect(sessions.pairingCode(ctx(), id, phone)).rejects.toMatchObject({
      code: 'session.pairing_failed',
      detail: 'rate-overlimit',
    });
  });

  it('fails where no answer comes', async () => {
    const id = await pairing();
    await expect(hasty.pairingCode(ctx(), id, phone)).rejects.toMatchObject({
      code: 'session.pairing_failed',
    });
  });

  it('is for the number that was asked for last', async () => {
    const id = await pairing();
    const first = sessions.pairingCode(ctx(), id, phone);
    const lost = expect(first).rejects.toMatchObject({ code: 'session.pairing_replaced' });
    await expect.poll(async () => (await sessions.get(ctx(), id)).pairing_phone).toBe(phone);
    const second = sessions.pairingCode(ctx(), id, '14155550100');
    await lost;
    const hold = { sessionId: id, accountId: account, mode: 'test', epoch: 0 } as const;
    await reports.pairingAnswer(hold, { phone: '14155550100', code: 'CODE0100' });
    await expect(second).resolves.toBe('CODE0100');
  });

  it('is for sessions that are pairing', async () => {
    const { id } = await create();
    await expect(hasty.pairingCode(ctx(), id, phone)).rejects.toMatchObject({ code: 'session.not_ready' });
    const hold = { sessionId: id, accountId: account, mode: 'test', epoch: 0 } as const;
    await reports.status(hold, { status: 'logged_out', wanted: false });
    await expect(hasty.pairingCode(ctx(), id, phone)).rejects.toMatchObject({
      code: 'session.not_pairing',
      detail: 'The session is logged_out.',
    });
    await link({ sessionId: id, accountId: account, mode: 'test', epoch: 0 });
    await expect(hasty.pairingCode(ctx(), id, phone)).rejects.toMatchObject({
      code: 'session.already_linked',
    });
  });
});
