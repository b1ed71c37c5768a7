import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { runPurge } from '../../../src/features/retention/run-purge.ts';
import { newUuid } from '../../../src/lib/ids.ts';
import { createTestDatabase, seedAccount, type TestDatabase } from '../../support/database.ts';
import { silentLog } from '../../support/log.ts';
import { inOpenTransaction } from '../../support/open-transaction.ts';
import { contentOf, makeOldPartitions, seedMessage, uuidAged } from './retained-rows.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase(inject('postgresUrl'));
});
afterAll(() => db.close());
beforeEach(() => db.owner.query('delete from accounts'));

const purge = () => runPurge({ database: db.database, log: silentLog });

const partitionsOf = async (table: string) => {
  const { rows } = await db.owner.query<{ name: string }>(
    'select inhrelid::regclass::text as name from pg_inherits where inhparent = $1::regclass order by 1',
    [table],
  );
  return rows.map(({ name }) => name);
};

const keepDays = (accountId: string, days: number) =>
  db.owner.query('update accounts set content_days = $2 where id = $1', [accountId, days]);

const exists = async (table: string, id: string) =>
  (await db.owner.query(`select from ${table} where id = $1`, [id])).rowCount === 1;

const insertDelivery = async (accountId: string, days: number) => {
  const id = uuidAged(days);
  await db.owner.query(
    `insert into webhook_deliveries (id, account_id, mode, endpoint_id, event_id, event_type, event_at)
     values ($1, $2, 'test', $3, $3, 'message.sent', now())`,
    [id, accountId, newUuid()],
  );
  return id;
};

describe('a purge', () => {
  it('drops whole weeks that are over, and reports them', async () => {
    const account = await seedAccount(db);
    await makeOldPartitions(db, 'webhook_deliveries', 60);
    const [old, young] = [await insertDelivery(account, 45), await insertDelivery(account, 29)];
    const before = await partitionsOf('webhook_deliveries');
    const run = await purge();
    expect([await exists('webhook_deliveries', old), await exists('webhook_deliveries', young)]).toEqual([
      false,
      true,
    ]);
    const gone = before.filter((name) => !run.dropped.map(({ partition }) => partition).includes(name));
    expect(await partitionsOf('webhook_deliveries')).toEqual(gone);
    expect(run.dropped.length).toBeGreaterThanOrEqual(3);
    expect(run.dropped.every(({ bytes }) => bytes > 0)).toBe(true);
    const ends = run.dropped.map(({ until }) => Date.parse(until));
    expect(ends).toEqual(ends.toSorted((a, b) => a - b));
    expect(Math.max(...ends)).toBeLessThanOrEqual(Date.now() - 30 * 86_400_000);
    expect(run.finished_at).not.toBeNull();
  });

  it('finds nothing to do a second time', async () => {
    await purge();
    expect(await purge()).toMatchObject({ dropped: [], deleted: {}, contents: '0' });
  });

  it('deletes old rows that fell into the default partition, in which the program was away', async () => {
    const account = await seedAccount(db);
    const [old, young] = [await insertDelivery(account, 300), await insertDelivery(account, 1)];
    const run = await purge();
    expect([await exists('webhook_deliveries', old), await exists('webhook_deliveries', young)]).toEqual([
      false,
      true,
    ]);
    expect(run.deleted).toEqual({ webhook_deliveries: 1 });
  });

  it('leaves a week in use to the next purge instead of making writers wait', async () => {
    await makeOldPartitions(db, 'webhook_attempts', 60);
    const first = await inOpenTransaction(db.owner, async (reader) => {
      await reader.query('select count(*) from webhook_attempts');
      return purge();
    });
    expect(first.skipped.length).toBeGreaterThan(2);
    expect(first.dropped).toEqual([]);
    const second = await purge();
    expect(second.dropped.map(({ partition }) => partition).toSorted()).toEqual(first.skipped.toSorted());
  });

  it('keeps messages and events for as long as the account that keeps the longest', async () => {
    const [long, usual] = [await seedAccount(db), await seedAccount(db)];
    await keepDays(long, 365);
    await db.owner.query(`update subscriptions set plan = 'unlimited' where account_id = $1`, [long]);
    await makeOldPartitions(db, 'messages', 420);
    const [kept, over, ancient] = [
      await seedMessage(db, long, { days: 200 }),
      await seedMessage(db, usual, { days: 200 }),
      await seedMessage(db, long, { days: 400 }),
    ];
    const run = await purge();
    expect(await contentOf(db, kept)).toBe('sealed');
    expect(await contentOf(db, over)).toBeUndefined();
    expect(await contentOf(db, ancient)).toBeUndefined();
    expect(run.deleted).toEqual({ messages: 1 });
  });

  it('drops no week early, whoever asks', async () => {
    const [fresh] = (await partitionsOf('messages')).filter((name) => /_\d{4}_/.test(name)).slice(-1);
    const early = db.database.systemOnce((tx) =>
      tx.query('select app.drop_partition($1, $2)', ['messages', fresh]),
    );
    await expect(early).rejects.toThrow('no expired partition');
    const foreign = db.database.systemOnce((tx) =>
      tx.query('select app.drop_partition($1, $2)', ['messages', 'accounts']),
    );
    await expect(foreign).rejects.toThrow('no expired partition');
  });

  it('runs as SQL alone, for pg_cron', async () => {
    const account = await seedAccount(db);
    await makeOldPartitions(db, 'messages', 150);
    const old = await seedMessage(db, account, { days: 140 });
    await db.owner.query('call app.purge()');
    expect(await contentOf(db, old)).toBeUndefined();
    const { rows } = await db.owner.query('select * from app.purge_runs order by id desc limit 1');
    expect(rows[0].finished_at).not.toBeNull();
    expect(rows[0].dropped.length).toBeGreaterThan(0);
  });
});

describe('contents', () => {
  it('are forgotten after the days that their account wants, to the day, and their messages stay', async () => {
    const [brief, usual] = [await seedAccount(db), await seedAccount(db)];
    await keepDays(brief, 7);
    const [eight, six, other] = [
      await seedMessage(db, brief, { days: 8 }),
      await seedMessage(db, brief, { days: 6, mode: 'live' }),
      await seedMessage(db, usual, { days: 8 }),
    ];
    expect(await purge()).toMatchObject({ contents: '1' });
    expect([await contentOf(db, eight), await contentOf(db, six), await contentOf(db, other)]).toEqual([
      null,
      'sealed',
      'sealed',
    ]);
  });

  it('are forgotten in batches that start where the last one ended', async () => {
    const account = await seedAccount(db);
    await keepDays(account, 1);
    const ids = [];
    for (let i = 0; i < 7; i++) ids.push(await seedMessage(db, account, { days: 3 }));
    const { rows } = await db.owner.query('select app.begin_purge() as run');
    const counts = [];
    for (let i = 0; i < 5; i++) {
      const step = await db.owner.query('select app.forget_old_contents($1, 3) as count', [rows[0].run]);
      counts.push(step.rows[0].count);
    }
    expect(counts).toEqual([3, 3, 1, 0, 0]);
    for (const id of ids) expect(await contentOf(db, id)).toBeNull();
  });

  it('are forgotten anew when the account wants them for a shorter time', async () => {
    const account = await seedAccount(db);
    await keepDays(account, 30);
    const id = await seedMessage(db, account, { days: 10 });
    await purge();
    expect(await contentOf(db, id)).toBe('sealed');
    await keepDays(account, 5);
    await purge();
    expect(await contentOf(db, id)).toBeNull();
  });
});
