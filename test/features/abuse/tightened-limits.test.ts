import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { raiseAlert } from '../../../src/features/abuse/abuse.system.ts';
import { openTightenedLimits } from '../../../src/features/abuse/tightened-limits.ts';
import { newUuid } from '../../../src/lib/ids.ts';
import type { Mode } from '../../../src/lib/mode.ts';
import { systemClock } from '../../../src/lib/system-clock.ts';
import { createNotices, type Notices } from '../../../src/platform/db/notices.ts';
import { createTestDatabase, seedAccount, type TestDatabase } from '../../support/database.ts';
import { silentLog } from '../../support/log.ts';

let db: TestDatabase;
let notices: Notices;
/** Accounts of the notices that came. */
const noticed: string[] = [];
beforeAll(async () => {
  db = await createTestDatabase(inject('postgresUrl'));
  notices = createNotices({ url: db.url, clock: systemClock, log: silentLog });
  await notices.listen('pingr_restricted', (accountId = '') => noticed.push(accountId));
});
afterAll(async () => {
  await notices.close();
  await db.close();
});

/** Limits whose notices, pauses and time the test holds, and whose look-ups it counts and may let fail. */
async function openLimits() {
  const state = { lookups: 0, pauses: [] as (() => void)[], ahead: 0, fails: false, notice: () => {} };
  const limits = await openTightenedLimits({
    database: {
      systemOnce: (work) => {
        state.lookups++;
        return state.fails ? Promise.reject(new Error('away')) : db.database.systemOnce(work);
      },
    },
    notices: {
      listen: async (_channel, onNotice) => {
        state.notice = () => onNotice(undefined);
      },
    },
    clock: {
      now: () => new Date(Date.now() + state.ahead),
      sleep: () => new Promise((resolve) => state.pauses.push(resolve)),
    },
    log: silentLog,
  });
  return { state, limits };
}

async function restrict(accountId: string, factor: number, seconds: number, mode: Mode = 'live') {
  await db.owner.query(
    `insert into account_alerts (id, account_id, mode, kind, subject, detail, first_at, last_at, restricted_until, factor)
     values ($1, $2, $3, 'failing_keys', $1, '{}', now(), now(), now() + make_interval(secs => $4), $5)`,
    [randomUUID(), accountId, mode, seconds, factor],
  );
}

describe('tightened limits', () => {
  it('are looked up once for a notice, and once more for all that come during it and the pause after it', async () => {
    const { state, limits } = await openLimits();
    const accountId = await seedAccount(db);
    expect(state.lookups).toBe(1);
    await restrict(accountId, 0.25, 60);
    for (let i = 0; i < 100; i++) state.notice();
    await expect.poll(() => limits.factorOf(accountId, 'live')).toBe(0.25);
    expect(state.lookups).toBe(2);
    await restrict(accountId, 0.125, 60);
    for (let i = 0; i < 100; i++) state.notice();
    expect(state.lookups).toBe(2);
    state.pauses[0]?.();
    await expect.poll(() => limits.factorOf(accountId, 'live')).toBe(0.125);
    expect(state.lookups).toBe(3);
    state.pauses[1]?.();
    await db.owner.query('select 1');
    expect(state.lookups).toBe(3);
    limits.close();
  });

  it('end when their time is over, without a look-up', async () => {
    const { state, limits } = await openLimits();
    const accountId = await seedAccount(db);
    await restrict(accountId, 0.25, 60);
    await restrict(accountId, 0.5, 600);
    await restrict(accountId, 0.5, 300);
    state.notice();
    await expect.poll(() => limits.factorOf(accountId, 'live')).toBe(0.25);
    expect(limits.factorOf(accountId, 'test')).toBe(1);
    state.ahead = 61_000;
    expect(limits.factorOf(accountId, 'live')).toBe(0.5);
    state.ahead = 601_000;
    expect(limits.factorOf(accountId, 'live')).toBe(1);
    expect(state.lookups).toBe(2);
    limits.close();
  });

  it('stay as they were last known while the database is away, and are looked up again', async () => {
    const { state, limits } = await openLimits();
    const accountId = await seedAccount(db);
    await restrict(accountId, 0.25, 60);
    state.notice();
    await expect.poll(() => limits.factorOf(accountId, 'live')).toBe(0.25);
    await restrict(accountId, 0.125, 60);
    state.fails = true;
    state.notice();
    state.pauses[0]?.();
    await expect.poll(() => state.lookups).toBe(3);
    expect(limits.factorOf(accountId, 'live')).toBe(0.25);
    state.fails = false;
    state.notice();
    await expect.poll(() => state.pauses).toHaveLength(2);
    state.pauses[1]?.();
    await expect.poll(() => limits.factorOf(accountId, 'live')).toBe(0.125);
    limits.close();
  });
});

describe('a notice of limits', () => {
  it('goes out when they change or would soon end, and not when what is known is seen again', async () => {
    const accountId = await seedAccount(db);
    const raise = (kind: 'failing_keys' | 'new_country') =>
      db.database.system((tx) =>
        raiseAlert(
          tx,
          { kind, accountId, mode: 'live', subject: accountId, detail: {} },
          { id: newUuid(), eventId: newUuid() },
        ),
      );
    expect(await raise('failing_keys')).toBe(true);
    for (let i = 0; i < 5; i++) expect(await raise('failing_keys')).toBe(false);
    for (const isNew of [true, false]) expect(await raise('new_country')).toBe(isNew);
    const prolonged = await db.owner.query(
      `update account_alerts set restricted_until = now() + interval '30 seconds'
       where account_id = $1 and kind = 'failing_keys' returning count`,
      [accountId],
    );
    expect(prolonged.rows).toEqual([{ count: 6 }]);
    expect(await raise('failing_keys')).toBe(false);
    // Notices come in the order of their commits, so nothing is on its way behind this one.
    await db.owner.query(`select pg_notify('pingr_restricted', 'last')`);
    await expect.poll(() => noticed).toContain('last');
    expect(noticed.filter((payload) => payload === accountId)).toHaveLength(2);
  });
});
