import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import {
  createSessionReports,
  type SessionReports,
} from '../../../src/features/sessions/session-reports.service.ts';
import type { SessionRow } from '../../../src/features/sessions/sessions.model.ts';
import { newUuid } from '../../../src/lib/ids.ts';
import { createTestDatabase, seedAccount, seedSession, type TestDatabase } from '../../support/database.ts';

type Hold = Parameters<SessionReports['read']>[0];

let db: TestDatabase;
let account: string;
let hold: Hold;
let reports: SessionReports;
let told: string[];

beforeAll(async () => {
  db = await createTestDatabase(inject('postgresUrl'));
});
afterAll(() => db.close());
beforeEach(async () => {
  account = await seedAccount(db);
  hold = await held({ status: 'starting', phone: null });
  told = [];
  reports = createSessionReports({ database: db.database, newUuid, onFact: (of) => told.push(of) });
});

async function held(session: Parameters<typeof seedSession>[2]): Promise<Hold> {
  const sessionId = await seedSession(db, account, session);
  await db.owner.query('update session_leases set epoch = 5, owner = $2 where session_id = $1', [
    sessionId,
    newUuid(),
  ]);
  return { sessionId, accountId: account, mode: 'test', epoch: 5 };
}
async function row(of = hold): Promise<SessionRow> {
  const { rows } = await db.owner.query<SessionRow>('select * from sessions where id = $1', [of.sessionId]);
  const [found] = rows;
  if (found === undefined) throw new Error('the session is gone');
  return found;
}
async function lease(of = hold) {
  return (
    await db.owner.query('select wanted, attempts from session_leases where session_id = $1', [of.sessionId])
  ).rows[0];
}
async function facts(of = hold) {
  const { rows } = await db.owner.query(
    `select data from events where session_id = $1 and type = 'session.status' order by id`,
    [of.sessionId],
  );
  return rows.map(({ data }) => data);
}
const inAMinute = new Date(Date.now() + 60_000);
const self = { phone: '919876500000', lid: '4242', name: 'Shop', device: 7 };

describe('the end of a link', () => {
  const end = {
    status: 'logged_out',
    code: 'session.logged_out',
    detail: 'Link it again.',
    phone: '1',
  } as const;

  it('is a status, and whoever is to link it again is told in the same transaction', async () => {
    const ends: unknown[] = [];
    const told = createSessionReports({
      ...{ database: db.database, newUuid, onFact: () => undefined },
      onEnded: async (_tx, { sessionId }, { phone }) => void ends.push([sessionId, phone]),
    });
    await expect(told.ended(hold, end)).resolves.toBe(true);
    await expect(told.ended({ ...hold, epoch: 4 }, end)).resolves.toBe(false);
    expect(ends).toEqual([[hold.sessionId, '1']]);
    await expect(row()).resolves.toMatchObject({ status: 'logged_out', status_detail: 'Link it again.' });
    await expect(lease()).resolves.toMatchObject({ wanted: false });
  });

  it('is not written where telling fails', async () => {
    const told = createSessionReports({
      ...{ database: db.database, newUuid, onFact: () => undefined },
      onEnded: () => Promise.reject(new Error('no')),
    });
    await expect(told.ended(hold, end)).rejects.toThrow('no');
    await expect(row()).resolves.toMatchObject({ status: 'starting' });
  });
});

describe('a status report', () => {
  it('is stored and announced', async () => {
    await expect(reports.status(hold, { status: 'pairing', wanted: true })).resolves.toBe(true);
    await expect(row()).resolves.toMatchObject({ status: 'pairing', status_code: null });
    await expect(facts()).resolves.toEqual([
      { id: hold.sessionId, status: 'pairing', phone: null, code: null, detail: null },
    ]);
    expect(told).toEqual([account]);
  });

  it('is announced only when status or code changed', async () => {
    const gone = { status: 'disconnected', wanted: true } as const;
    await reports.status(hold, { ...gone, code: 'session.timed_out', detail: 'WhatsApp was slow.' });
    await reports.status(hold, { ...gone, code: 'session.timed_out', detail: 'WhatsApp was slow again.' });
    await reports.status(hold, { ...gone, code: 'session.rate_limited', detail: 'Too fast.' });
    await reports.status(hold, { status: 'connected', wanted: true });
    await reports.status(hold, { status: 'connected', wanted: true });
    const codes = (await facts()).map(({ status, code }) => [status, code]);
    expect(codes).toEqual([
      ['disconnected', 'session.timed_out'],
      ['disconnected', 'session.rate_limited'],
      ['connected', null],
    ]);
  });

  it('says whether a socket is wanted, and "connected" ends the back-off for whoever owns the session next', async () => {
    await db.owner.query('update session_leases set attempts = 6 where session_id = $1', [hold.sessionId]);
    await reports.status(hold, { status: 'connecting', wanted: true });
    await expect(lease()).resolves.toEqual({ wanted: true, attempts: 6 });
    await reports.status(hold, { status: 'connected', wanted: true });
    await expect(lease()).resolves.toEqual({ wanted: true, attempts: 0 });
    expect((await row()).connected_at).toBeInstanceOf(Date);
    await reports.status(hold, { status: 'banned', wanted: false, code: 'session.banned', detail: 'x' });
    await expect(lease()).resolves.toEqual({ wanted: false, attempts: 0 });
  });

  it('keeps the QR code only while pairing', async () => {
    await reports.status(hold, { status: 'pairing', wanted: true });
    await reports.qr(hold, { text: '2@abc', expiresAt: inAMinute });
    await reports.status(hold, { status: 'pairing', wanted: true });
    await expect(row()).resolves.toMatchObject({ qr: '2@abc', qr_expires_at: inAMinute });
    await reports.status(hold, { status: 'connecting', wanted: true });
    await expect(row()).resolves.toMatchObject({ qr: null, qr_expires_at: null });
  });
});

describe('linking', () => {
  it('stores who is linked, and clears what was shown for pairing', async () => {
    await reports.qr(hold, { text: '2@abc', expiresAt: inAMinute });
    await reports.linked(hold, self);
    await expect(row()).resolves.toMatchObject({
      ...{ phone: self.phone, lid: self.lid, device: 7, display_name: 'Shop', qr: null, pairing_phone: null },
      linked_at: expect.any(Date),
    });
  });

  it('counts from the first link of a number, and anew for another number', async () => {
    await reports.linked(hold, self);
    const first = (await row()).linked_at;
    await reports.linked(hold, { phone: self.phone, device: 7 });
    await expect(row()).resolves.toMatchObject({ linked_at: first, lid: self.lid, display_name: 'Shop' });
    await reports.linked(hold, { ...self, phone: '14155550100' });
    expect((await row()).linked_at?.getTime()).toBeGreaterThan(first?.getTime() ?? Number.POSITIVE_INFINITY);
  });

  it('by code answers the number that was asked for, and no other', async () => {
    await db.owner.query(`update sessions set pairing_phone = '14155550100' where id = $1`, [hold.sessionId]);
    await expect(reports.pairingAnswer(hold, { phone: '919876543210', code: 'AAAAAAAA' })).resolves.toBe(
      true,
    );
    await expect(row()).resolves.toMatchObject({ pairing_code: null });
    await reports.pairingAnswer(hold, { phone: '14155550100', error: 'rate-overlimit' });
    await expect(row()).resolves.toMatchObject({ pairing_code: null, pairing_error: 'rate-overlimit' });
    await reports.pairingAnswer(hold, { phone: '14155550100', code: 'BBBBBBBB' });
    await expect(row()).resolves.toMatchObject({ pairing_code: 'BBBBBBBB', pairing_error: null });
  });

  it('is forgotten whole: credentials, keys and number', async () => {
    await reports.linked(hold, self);
    const other = await held({});
    for (const { sessionId } of [hold, other]) {
      await db.owner.query('insert into session_credentials values ($1, $2, $3)', [
        sessionId,
        account,
        Buffer.of(1),
      ]);
      await db.owner.query(`insert into session_keys values ($1, 'session', 'a', $2, $3)`, [
        sessionId,
        account,
        Buffer.of(1),
      ]);
    }
    await expect(reports.eraseLink(hold)).resolves.toBe(true);
    await expect(row()).resolves.toMatchObject({ phone: null, lid: null, device: null, linked_at: null });
    for (const table of ['session_credentials', 'session_keys']) {
      const { rows } = await db.owner.query(`select session_id from ${table} where account_id = $1`, [
        account,
      ]);
      expect(rows, table).toEqual([{ session_id: other.sessionId }]);
    }
  });
});

describe('deletion', () => {
  it('removes the session with its lease, and leaves its messages', async () => {
    await db.owner.query(
      `insert into messages (id, account_id, mode, session_id, direction, type, wire_id, status, accepted_at)
       values ($1, $2, 'test', $3, 'inbound', 'text', 'x', 'received', now())`,
      [newUuid(), account, hold.sessionId],
    );
    await expect(reports.deleted(hold)).resolves.toBe(true);
    await expect(row()).rejects.toThrow('gone');
    await expect(lease()).resolves.toBeUndefined();
    const { rows } = await db.owner.query('select from messages where session_id = $1', [hold.sessionId]);
    expect(rows).toHaveLength(1);
    await expect(reports.read(hold)).resolves.toBeUndefined();
  });
});

describe('the row as its worker sees it', () => {
  it('carries the pacing that applies: what was set, over the defaults of the mode', async () => {
    await expect(reports.read(hold)).resolves.toMatchObject({ pacing: { interval_ms: 0, typing: false } });
    await db.owner.query(`update sessions set pacing = '{"interval_ms": 250}' where id = $1`, [
      hold.sessionId,
    ]);
    await expect(reports.read(hold)).resolves.toMatchObject({ pacing: { interval_ms: 250, typing: false } });
    const live = await held({ mode: 'live' });
    await expect(reports.read(live)).resolves.toMatchObject({
      pacing: { interval_ms: 1_000, typing: true, warm_up_days: 7 },
    });
  });
});

describe('after the lease has moved to another worker', () => {
  it.each<[string, (stale: Hold) => Promise<unknown>]>([
    ['status', (stale) => reports.status(stale, { status: 'connected', wanted: false })],
    ['qr', (stale) => reports.qr(stale, { text: '2@stale', expiresAt: inAMinute })],
    ['pairingAnswer', (stale) => reports.pairingAnswer(stale, { phone: '1', code: 'STALE' })],
    ['linked', (stale) => reports.linked(stale, self)],
    ['eraseLink', (stale) => reports.eraseLink(stale)],
    ['deleted', (stale) => reports.deleted(stale)],
  ])('%s returns false and writes nothing', async (_, report) => {
    await reports.linked(hold, { ...self, phone: '14155550100' });
    await db.owner.query(`insert into session_credentials values ($1, $2, '\\x01')`, [
      hold.sessionId,
      account,
    ]);
    const before = [await row(), await lease(), await facts()];
    await expect(report({ ...hold, epoch: 4 })).resolves.toBe(false);
    expect([await row(), await lease(), await facts()]).toEqual(before);
    const { rows } = await db.owner.query('select from session_credentials where session_id = $1', [
      hold.sessionId,
    ]);
    expect(rows).toHaveLength(1);
    expect(told).toEqual([]);
  });

  it('there is nothing to read', async () => {
    await expect(reports.read({ ...hold, epoch: 4 })).resolves.toBeUndefined();
  });
});
