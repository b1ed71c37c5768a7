import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createMessagesService } from '../../../src/features/messages/messages.service.ts';
import { newUuid } from '../../../src/lib/ids.ts';
import type { Mode } from '../../../src/lib/mode.ts';
import { systemClock } from '../../../src/lib/system-clock.ts';
import { createDatabase, type Database } from '../../../src/platform/db/database.ts';
import { createPool } from '../../../src/platform/db/pool.ts';
import { contextOf } from '../../support/context.ts';
import { createTestDatabase, seedAccount, seedSession, type TestDatabase } from '../../support/database.ts';
import { silentLog } from '../../support/log.ts';

let db: TestDatabase;
let wide: { database: Database; end(): Promise<void> };
beforeAll(async () => {
  db = await createTestDatabase(inject('postgresUrl'));
  const pool = createPool({ url: db.url, max: 20, name: 'test', log: silentLog });
  wide = { database: createDatabase(pool), end: () => pool.end() };
});
afterAll(async () => {
  await wide.end();
  await db.close();
});

async function sender(mode: Mode, quota: { limit: number; overage?: 'refuse' | 'allow' }) {
  const account = await seedAccount(db);
  const sessionId = await seedSession(db, account, { mode });
  await db.owner.query(
    'update quotas set message_limit = $3, unreserved = $3, overage = $4 where account_id = $1 and mode = $2',
    [account, mode, quota.limit, quota.overage ?? 'refuse'],
  );
  const messages = createMessagesService({
    database: wide.database,
    vault: db.vault,
    waker: { wake: () => undefined },
    newUuid,
    randomBytes,
    clock: systemClock,
    onFact: () => undefined,
  });
  const send = () =>
    messages.send(contextOf(account, mode), {
      sessionId,
      to: '919876543210',
      text: 'x',
      contextMessageId: undefined,
      idempotency: undefined,
    });
  /** Codes of the refusals. */
  const sendMany = async (count: number) => {
    const settled = await Promise.allSettled(Array.from({ length: count }, send));
    return settled.flatMap((result) => (result.status === 'rejected' ? [result.reason.code] : []));
  };
  return { account, send, sendMany };
}

async function stored(account: string): Promise<number> {
  const { rows } = await db.owner.query('select count(*)::int as n from messages where account_id = $1', [
    account,
  ]);
  return rows[0].n;
}

async function used(account: string, mode: Mode): Promise<number> {
  const { rows } = await db.owner.query(
    'select app.messages_used(q)::int as used from quotas q where account_id = $1 and mode = $2',
    [account, mode],
  );
  return rows[0].used;
}

async function facts(account: string): Promise<{ type: string; used: number }[]> {
  const { rows } = await db.owner.query(
    `select type, (data ->> 'used')::int as used from events where account_id = $1 and type like 'quota.%' order by id`,
    [account],
  );
  return rows;
}

describe('the messages of a plan', () => {
  it('are exact when 200 are sent at once at the limit', async () => {
    const { account, sendMany } = await sender('live', { limit: 130 });
    const refusals = await sendMany(200);
    expect(refusals).toEqual(Array.from({ length: 70 }, () => 'message.quota_reached'));
    await expect(stored(account)).resolves.toBe(130);
    await expect(used(account, 'live')).resolves.toBe(130);
  });

  it('are exact where connections hold credit on their way to the limit', async () => {
    const { account, sendMany } = await sender('live', { limit: 4_096 + 150 });
    // As if nearly all were used, with credit in many hands.
    await sendMany(60);
    await db.owner.query(
      'update quotas set unreserved = unreserved - 4000 where account_id = $1 and mode = $2',
      [account, 'live'],
    );
    const refusals = await sendMany(200 + 100);
    expect(refusals).toHaveLength(300 - (246 - 60));
    await expect(stored(account)).resolves.toBe(246);
    await expect(used(account, 'live')).resolves.toBe(4_246);
  });

  it('are told at 80 % and at 100 %, once', async () => {
    const { account, send } = await sender('live', { limit: 10 });
    for (let i = 0; i < 7; i++) await send();
    await expect(facts(account)).resolves.toEqual([]);
    await send();
    await expect(facts(account)).resolves.toEqual([{ type: 'quota.warning', used: 8 }]);
    await send();
    await send();
    await expect(send()).rejects.toMatchObject({
      code: 'message.quota_reached',
      definition: { status: 402 },
    });
    await expect(send()).rejects.toMatchObject({ code: 'message.quota_reached' });
    await expect(facts(account)).resolves.toEqual([
      { type: 'quota.warning', used: 8 },
      { type: 'quota.reached', used: 10 },
    ]);
  });

  it('are told near enough where the limit is large and connections count apart', async () => {
    const { account, sendMany } = await sender('live', { limit: 100_000 });
    await db.owner.query('update quotas set unreserved = 20020 where account_id = $1 and mode = $2', [
      account,
      'live',
    ]);
    for (let n = 0; n < 10; n++) await expect(sendMany(200)).resolves.toEqual([]);
    const [warning, ...rest] = await facts(account);
    expect(rest).toEqual([]);
    expect(warning?.type).toBe('quota.warning');
    expect(warning?.used).toBeGreaterThanOrEqual(80_000);
    await expect(used(account, 'live')).resolves.toBe(81_980);
  });

  it('go on beyond the limit where the plan allows it, and are counted', async () => {
    const { account, sendMany } = await sender('live', { limit: 10, overage: 'allow' });
    await expect(sendMany(60)).resolves.toEqual([]);
    await expect(used(account, 'live')).resolves.toBe(60);
    await expect(facts(account)).resolves.toHaveLength(2);
  });

  it('begin anew with the next month, and what was left is gone', async () => {
    const { account, send } = await sender('live', { limit: 5_000 });
    await send();
    await db.owner.query(
      `update quotas set anchor = anchor - interval '1 month', period_start = period_start - interval '1 month',
         period_end = period_end - interval '1 month' where account_id = $1`,
      [account],
    );
    await db.owner.query(
      `update message_credit set period_end = period_end - interval '1 month' where account_id = $1`,
      [account],
    );
    await expect(used(account, 'live')).resolves.toBe(0);
    await send();
    await expect(used(account, 'live')).resolves.toBe(1);
  });

  it('are not taken by a message that is refused for another reason', async () => {
    const { account } = await sender('live', { limit: 1 });
    await db.owner.query(`update sessions set status = 'banned' where account_id = $1`, [account]);
    const messages = await sender('live', { limit: 1 });
    await db.owner.query(`update sessions set status = 'banned' where account_id = $1`, [messages.account]);
    await expect(messages.send()).rejects.toMatchObject({ code: 'message.session_not_linked' });
    await expect(used(messages.account, 'live')).resolves.toBe(0);
  });

  it('do not meet in test mode, which has its own', async () => {
    const { account, send } = await sender('live', { limit: 1 });
    await send();
    const session = await seedSession(db, account, { mode: 'test' });
    expect(session).toBeTypeOf('string');
    const { rows } = await db.owner.query(
      `select app.messages_used(q)::int as used, message_limit::int as most from quotas q where account_id = $1 and mode = 'test'`,
      [account],
    );
    expect(rows).toEqual([{ used: 0, most: 1_000_000 }]);
  });
});

describe('the month of a quota', () => {
  it.each([
    ['2026-01-31T10:00:00Z', '2026-01-31T10:00:00Z', '2026-01-31T10:00:00Z', '2026-02-28T10:00:00Z'],
    ['2026-01-31T10:00:00Z', '2026-02-28T09:59:59Z', '2026-01-31T10:00:00Z', '2026-02-28T10:00:00Z'],
    ['2026-01-31T10:00:00Z', '2026-02-28T10:00:00Z', '2026-02-28T10:00:00Z', '2026-03-31T10:00:00Z'],
    ['2024-02-29T00:00:00Z', '2026-03-01T00:00:00Z', '2026-02-28T00:00:00Z', '2026-03-29T00:00:00Z'],
  ])('from %s, at %s, is %s to %s', async (anchor, at, start, end) => {
    const { rows } = await db.owner.query('select * from app.period_of($1, $2)', [anchor, at]);
    expect(rows).toEqual([{ period_start: new Date(start), period_end: new Date(end) }]);
  });
});

describe('the sessions of a plan', () => {
  it('are exact when many are made at once', async () => {
    const account = await seedAccount(db);
    const insert = () =>
      wide.database.accountOnce({ accountId: account, mode: 'live' }, (tx) =>
        tx.query('insert into sessions (id, account_id, mode, name) values ($1, $2, $3, $4)', [
          newUuid(),
          account,
          'live',
          'x',
        ]),
      );
    const settled = await Promise.allSettled(Array.from({ length: 12 }, insert));
    const refused = settled.flatMap((result) => (result.status === 'rejected' ? [result.reason.code] : []));
    expect(refused).toEqual(Array.from({ length: 9 }, () => 'PQ403'));
  });

  it('count no more once they are deleted', async () => {
    const account = await seedAccount(db);
    for (let i = 0; i < 3; i++) await seedSession(db, account, { mode: 'live' });
    await expect(seedSession(db, account, { mode: 'live' })).rejects.toMatchObject({ code: 'PQ403' });
    await db.owner.query(
      `update sessions set desired = 'deleted' where id in (select id from sessions where account_id = $1 limit 1)`,
      [account],
    );
    await expect(seedSession(db, account, { mode: 'live' })).resolves.toBeTypeOf('string');
  });
});
