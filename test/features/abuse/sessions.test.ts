import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inspectSessions } from '../../../src/features/abuse/raise-alerts.ts';
import { toId } from '../../../src/lib/ids.ts';
import { seedSession } from '../../support/database.ts';
import { uuidAged } from '../retention/retained-rows.ts';
import { type Abuse, openAbuse } from './open-abuse.ts';

let abuse: Abuse;
beforeAll(async () => {
  abuse = await openAbuse();
});
afterAll(() => abuse.close());

const inspect = () => inspectSessions(abuse.alerts);

/** Messages to numbers from `first` on, one each. */
async function seedSent(
  accountId: string,
  session: string,
  {
    from = 0,
    count,
    status = 'delivered',
    days = 0,
  }: { from?: number; count: number; status?: string; days?: number },
): Promise<void> {
  const numbers = Array.from({ length: count }, (_, i) => String(919_800_000_000 + from + i));
  await abuse.db.owner.query(
    `insert into messages (id, account_id, mode, session_id, direction, type, wire_id, status, accepted_at, contact_phone)
     select n.id, $1, 'test', $2, 'outbound', 'text', 'wire', $3, now(), n.phone from unnest($4::uuid[], $5::text[]) as n (id, phone)`,
    [accountId, session, status, numbers.map(() => uuidAged(days)), numbers],
  );
}

async function accountWithSession(status = 'connected') {
  const account = await abuse.account();
  return { ...account, session: await seedSession(abuse.db, account.id, { status }) };
}

const alertsOf = async (key: string) =>
  (await abuse.list(key)).map(({ kind, subject, count, detail }) => ({ kind, subject, count, detail }));

describe('a session', () => {
  it('that writes to many strangers within an hour is reported, and its account slowed down', async () => {
    const { id, test, live, session } = await accountWithSession();
    await seedSent(id, session, { count: 101 });
    await inspect();
    const subject = toId('session', session);
    const detail = { first_contacts: 101, contacts: 101, minutes: 60 };
    expect(await alertsOf(test.text)).toEqual([{ kind: 'first_contacts', subject, count: 1, detail }]);
    expect(await alertsOf(live.text)).toHaveLength(1);
    await expect.poll(() => abuse.limits.factorOf(id, 'test')).toBe(0.5);
    await inspect();
    expect(await alertsOf(test.text)).toMatchObject([{ kind: 'first_contacts', count: 2 }]);
    const { rowCount } = await abuse.db.owner.query(
      `select from events where account_id = $1 and type = 'account.suspicious_activity' and session_id = $2`,
      [id, session],
    );
    expect(rowCount).toBe(1);
  });

  it('that writes to as many acquaintances is not', async () => {
    const { id, test, session } = await accountWithSession();
    await seedSent(id, session, { count: 150, days: 3 });
    await seedSent(id, session, { count: 150 });
    await inspect();
    expect(await alertsOf(test.text)).toEqual([]);
  });

  it('whose messages fail is reported', async () => {
    const [bad, good] = [await accountWithSession(), await accountWithSession()];
    await seedSent(bad.id, bad.session, { count: 30, status: 'failed' });
    await seedSent(bad.id, bad.session, { from: 30, count: 25 });
    await seedSent(good.id, good.session, { count: 10, status: 'failed' });
    await seedSent(good.id, good.session, { from: 10, count: 45 });
    await inspect();
    expect(await alertsOf(bad.test.text)).toMatchObject([
      { kind: 'failure_rate', detail: { failed: 30, messages: 55, minutes: 60 } },
    ]);
    expect(await alertsOf(good.test.text)).toEqual([]);
  });

  it('that was banned is reported', async () => {
    const { id, test } = await accountWithSession('banned');
    await inspect();
    expect(await alertsOf(test.text)).toMatchObject([{ kind: 'session_banned' }]);
    await expect.poll(() => abuse.limits.factorOf(id, 'test')).toBe(0.25);
  });
});

describe('a tightened limit', () => {
  it('ends by itself, and with the account', async () => {
    const { id, session } = await accountWithSession();
    await seedSent(id, session, { count: 101 });
    await inspect();
    await expect.poll(() => abuse.limits.factorOf(id, 'test')).toBe(0.5);
    await abuse.db.owner.query(`update account_alerts set restricted_until = now() where account_id = $1`, [
      id,
    ]);
    await abuse.db.owner.query(`select pg_notify('pingr_restricted', '')`);
    await expect.poll(() => abuse.limits.factorOf(id, 'test')).toBe(1);
  });
});

describe('alerts', () => {
  it('are their account’s alone', async () => {
    const [mine, others] = [await accountWithSession('banned'), await accountWithSession()];
    await inspect();
    expect(await alertsOf(mine.test.text)).toHaveLength(1);
    expect(await alertsOf(others.live.text)).toEqual([]);
  });
});
