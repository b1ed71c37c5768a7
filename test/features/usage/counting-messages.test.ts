import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { countForAll } from '../../../src/features/usage/count-messages.ts';
import { createUsageService, type UsageService } from '../../../src/features/usage/usage.service.ts';
import { newUuid } from '../../../src/lib/ids.ts';
import { systemClock } from '../../../src/lib/system-clock.ts';
import { contextOf } from '../../support/context.ts';
import { createTestDatabase, seedAccount, seedSession, type TestDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { inOpenTransaction } from '../../support/open-transaction.ts';

let db: TestDatabase;
let usage: UsageService;
beforeAll(async () => {
  db = await createTestDatabase(inject('postgresUrl'));
  usage = createUsageService({ database: db.database });
});
afterAll(() => db.close());

const recent = () => ({ since: new Date(Date.now() - 3_600_000), until: new Date() });
const announce = `select app.announce($1, $2, 'test', $3, $4, $5, '{}', now())`;

async function announced(account: string, types: string[], session = newUuid()): Promise<void> {
  for (const type of types) await db.owner.query(announce, [newUuid(), account, type, session, newUuid()]);
}

/** Other test files share the server, and any transaction on it holds back what may be counted. */
const willBe = (account: string, expected: object) =>
  eventually(
    () => messagesOf(account),
    (messages) => isDeepStrictEqual(messages, expected),
  );

/** The statuses that were counted at all. */
async function messagesOf(account: string): Promise<Record<string, number>> {
  const { messages } = await usage.summary(contextOf(account), recent());
  return Object.fromEntries(Object.entries(messages).filter(([, count]) => count > 0));
}

const countAll = () =>
  countForAll({ database: db.database, clock: systemClock, signal: new AbortController().signal });

describe('messages', () => {
  it('are counted by what they came to, as soon as somebody asks', async () => {
    const account = await seedAccount(db);
    await announced(account, ['message.queued', 'message.sent', 'message.delivered', 'session.status']);
    await willBe(account, { queued: 1, sent: 1, delivered: 1 });
    await announced(account, ['message.queued', 'message.failed', 'message.received']);
    const all = { queued: 2, sent: 1, delivered: 1, failed: 1, received: 1 };
    await willBe(account, all);
    expect(await messagesOf(account)).toEqual(all);
  });

  it('are counted by session', async () => {
    const account = await seedAccount(db);
    const [one, other] = [await seedSession(db, account), await seedSession(db, account)];
    await announced(account, ['message.queued', 'message.queued'], one);
    await announced(account, ['message.queued'], other);
    await willBe(account, { queued: 3 });
    const query = {
      ...recent(),
      bucket: 'month',
      zone: 'UTC',
      metric: 'messages',
      groupBy: 'session',
    } as const;
    const buckets = await usage.series(contextOf(account), query);
    expect(buckets.flatMap(({ groups }) => groups)).toEqual([
      { value: one, count: 2 },
      { value: other, count: 1 },
    ]);
  });

  it('are counted once in a bucket, whatever they came to, and by what they came to in its groups', async () => {
    const account = await seedAccount(db);
    await announced(account, ['message.queued', 'message.sent', 'message.delivered', 'message.received']);
    await willBe(account, { queued: 1, sent: 1, delivered: 1, received: 1 });
    const query = { ...recent(), bucket: 'month', zone: 'UTC', metric: 'messages' } as const;
    const read = async (more: object) => {
      const buckets = await usage.series(contextOf(account), { ...query, ...more });
      return buckets.reduce((total, { count }) => total + count, 0);
    };
    expect(await read({})).toBe(2);
    expect(await read({ groupBy: 'status' })).toBe(2);
    expect(await read({ groupBy: 'session' })).toBe(2);
    expect(await read({ status: 'delivered' })).toBe(1);
    const groups = (await usage.series(contextOf(account), { ...query, groupBy: 'status' })).flatMap(
      (b) => b.groups,
    );
    expect(groups.map(({ value }) => value)).toEqual(['delivered', 'queued', 'received', 'sent']);
  });

  it('are counted once, however many ask at once while more come in', async () => {
    const account = await seedAccount(db);
    const types = Array.from({ length: 25 }, () => 'message.queued');
    await Promise.all([
      ...Array.from({ length: 4 }, () => announced(account, types)),
      ...Array.from({ length: 40 }, () => messagesOf(account)),
      countAll(),
    ]);
    await willBe(account, { queued: 100 });
  });

  it('wait for a transaction that began before them and may still bring earlier ones', async () => {
    const account = await seedAccount(db);
    await inOpenTransaction(db.owner, async (slow) => {
      await slow.query(announce, [newUuid(), account, 'message.queued', newUuid(), newUuid()]);
      await announced(account, ['message.sent']);
      expect(await messagesOf(account)).toEqual({});
    });
    await willBe(account, { queued: 1, sent: 1 });
  });

  it('are counted by the job for accounts that have news, also after it was away', async () => {
    const account = await seedAccount(db);
    await announced(account, ['message.queued']);
    const countOf = async () => {
      await countAll();
      const { rows } = await db.owner.query(
        `select coalesce(sum(count), 0)::int as n from usage_counts where account_id = $1 and minutes = 60`,
        [account],
      );
      return rows[0].n;
    };
    await eventually(countOf, (count) => count === 1);
    // As if the last run had been days ago.
    await db.owner.query(`update app.usage_progress set counted_at = now() - interval '5 days'`);
    await announced(account, ['message.sent']);
    await eventually(countOf, (count) => count === 2);
  });
});
