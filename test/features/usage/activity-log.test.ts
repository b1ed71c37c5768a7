import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { newUuid } from '../../../src/lib/ids.ts';
import type { Database } from '../../../src/platform/db/database.ts';
import { databaseErrors } from '../../../src/platform/db/db.errors.ts';
import { createTestDatabase, seedAccount, type TestDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { openActivityLog, requestOf } from './usage-fixture.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase(inject('postgresUrl'));
});
afterAll(() => db.close());

const rowsOf = async (account: string) =>
  (await db.owner.query('select * from activity_log where account_id = $1 order by id', [account])).rows;
const countsOf = async (account: string) => {
  const { rows } = await db.owner.query<{ minutes: number; status: string; count: string }>(
    `select minutes, status, sum(count) as count from usage_counts where account_id = $1 and metric = 'requests'
     group by 1, 2`,
    [account],
  );
  return Object.fromEntries(
    rows.map(({ minutes, status, count }) => [`${minutes} ${status}`, Number(count)]),
  );
};

/** The database, failing while `broken` is set. */
function breakable() {
  const state: { broken: Error | undefined; tries: number } = { broken: undefined, tries: 0 };
  const systemOnce: Database['systemOnce'] = async (work) => {
    state.tries++;
    if (state.broken) throw state.broken;
    return db.database.systemOnce(work);
  };
  return { state, database: { ...db.database, systemOnce } };
}

describe('the activity log', () => {
  it('writes what is known of a request, within a second and without being asked', async () => {
    const account = await seedAccount(db);
    const { log } = openActivityLog(db);
    const keyId = newUuid();
    log.record(
      requestOf(account, { keyId, method: 'POST', status: 422, code: 'request.invalid', requestId: 'req-1' }),
    );
    const [row] = await eventually(
      () => rowsOf(account),
      (rows) => rows.length === 1,
    );
    expect(row).toMatchObject({
      mode: 'test',
      method: 'POST',
      route: '/v1/messages',
      status: 422,
      duration_ms: 1.5,
      key_id: keyId,
      user_id: null,
      ip: '203.0.113.7',
      user_agent: 'test',
      request_id: 'req-1',
      error_code: 'request.invalid',
    });
    await log.close();
  });

  it('counts what it writes by status, by stretches of five lengths', async () => {
    const account = await seedAccount(db);
    const { log, counted } = openActivityLog(db);
    const keyId = newUuid();
    for (let i = 0; i < 1_200; i++)
      log.record(requestOf(account, { keyId, status: i % 3 === 0 ? 404 : 200 }));
    await log.close();
    expect(await rowsOf(account)).toHaveLength(1_200);
    expect(await countsOf(account)).toEqual({
      ...{ '15 200': 800, '30 200': 800, '60 200': 800, '360 200': 800, '1440 200': 800 },
      ...{ '15 404': 400, '30 404': 400, '60 404': 400, '360 404': 400, '1440 404': 400 },
    });
    expect(await counted('written')).toBe(1_200);
  });

  it('counts requests that nobody is known to have made, and writes them nowhere', async () => {
    const { log, counted } = openActivityLog(db);
    const before = await db.owner.query('select count(*) from activity_log');
    log.record({ ...requestOf(newUuid()), principal: undefined });
    await log.close();
    expect(await counted('anonymous')).toBe(1);
    expect((await db.owner.query('select count(*) from activity_log')).rows).toEqual(before.rows);
  });

  it('takes addresses and agents as callers send them', async () => {
    const account = await seedAccount(db);
    const { log } = openActivityLog(db);
    const ips = ['unknown', 'fe80::1%eth0', '::ffff:203.0.113.7', '2001:db8::1', ''];
    for (const ip of ips) log.record(requestOf(account, { ip, userAgent: 'é'.repeat(5_000) }));
    await log.close();
    const rows = await rowsOf(account);
    expect(rows.map(({ ip }) => ip)).toEqual([null, null, '::ffff:203.0.113.7', '2001:db8::1', null]);
    expect(rows[0].user_agent).toHaveLength(300);
  });

  it('keeps what it cannot write until the database is back, and neither loses nor doubles it', async () => {
    const account = await seedAccount(db);
    const { state, database } = breakable();
    const { log } = openActivityLog({ database });
    state.broken = databaseErrors.unavailable();
    for (let i = 0; i < 700; i++) log.record(requestOf(account));
    await log.flush();
    expect(await rowsOf(account)).toHaveLength(0);
    state.broken = undefined;
    await eventually(
      () => rowsOf(account),
      (rows) => rows.length === 700,
    );
    expect(await countsOf(account)).toMatchObject({ '1440 200': 700 });
    await log.close();
  });

  it('does not count twice what was written although the answer was lost', async () => {
    const account = await seedAccount(db);
    let lost = false;
    const systemOnce: Database['systemOnce'] = async (work) => {
      const result = await db.database.systemOnce(work);
      if (lost) return result;
      lost = true;
      throw databaseErrors.unavailable();
    };
    const { log } = openActivityLog({ database: { ...db.database, systemOnce } });
    for (let i = 0; i < 10; i++) log.record(requestOf(account));
    await log.flush();
    await log.close();
    expect(await rowsOf(account)).toHaveLength(10);
    expect(await countsOf(account)).toMatchObject({ '60 200': 10 });
  });

  it('holds a bounded number, drops the oldest and counts them; many requests are no reason to try more often', async () => {
    const account = await seedAccount(db);
    const { state, database } = breakable();
    const { log, counted } = openActivityLog({ database }, { mostWaiting: 1_000 });
    state.broken = databaseErrors.unavailable();
    for (let i = 0; i < 5_000; i++) log.record(requestOf(account, { requestId: `n${i}` }));
    await sleep(20);
    for (let i = 5_000; i < 10_000; i++) log.record(requestOf(account, { requestId: `n${i}` }));
    await log.flush();
    expect(state.tries).toBeLessThanOrEqual(3);
    state.broken = undefined;
    await log.close();
    const rows = await rowsOf(account);
    expect(rows.length).toBeGreaterThanOrEqual(1_000);
    expect(rows.length).toBeLessThanOrEqual(1_500);
    expect(rows.at(-1).request_id).toBe('n9999');
    expect((await counted('dropped')) + rows.length).toBe(10_000);
  });

  it('leaves out one row that Postgres refuses, not the others', async () => {
    const account = await seedAccount(db);
    const { log, counted } = openActivityLog(db);
    for (let i = 0; i < 20; i++) log.record(requestOf(account, { route: i === 7 ? 'a\0b' : '/v1/ok' }));
    await log.close();
    expect(await rowsOf(account)).toHaveLength(19);
    expect(await counted('dropped')).toBe(1);
  });

  it('counts exactly where several processes write at once', async () => {
    const account = await seedAccount(db);
    const keys = Array.from({ length: 20 }, newUuid);
    const logs = Array.from({ length: 4 }, () => openActivityLog(db).log);
    for (let i = 0; i < 4_000; i++) {
      logs[i % 4]?.record(requestOf(account, { keyId: keys[(i * 7) % 20] ?? '', status: 200 + (i % 5) }));
    }
    await Promise.all(logs.map((log) => log.close()));
    const counts = await countsOf(account);
    expect(
      Object.entries(counts)
        .filter(([key]) => key.startsWith('1440'))
        .map(([, n]) => n),
    ).toEqual(Array.from({ length: 5 }, () => 800));
  });
});
