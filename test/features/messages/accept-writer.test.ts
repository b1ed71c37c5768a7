import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import type { AcceptInput } from '../../../src/features/messages/accept-message.ts';
import { type Accept, createAcceptWriter } from '../../../src/features/messages/accept-writer.ts';
import { newUuid } from '../../../src/lib/ids.ts';
import { createTestDatabase, seedAccount, seedSession, type TestDatabase } from '../../support/database.ts';

let db: TestDatabase;
let accept: Accept;
let accountId: string;
let sessionId: string;
beforeAll(async () => {
  db = await createTestDatabase(inject('postgresUrl'));
});
afterAll(() => db.close());
beforeEach(async () => {
  accept = createAcceptWriter(db.database);
  accountId = await seedAccount(db);
  sessionId = await seedSession(db, accountId);
});

const message = (more: Partial<AcceptInput> = {}): AcceptInput => ({
  id: newUuid(),
  eventId: newUuid(),
  accountId,
  mode: 'test',
  sessionId,
  to: '919876543210',
  type: 'text',
  sealedContent: randomBytes(40),
  contextMessageId: undefined,
  wireId: randomBytes(9).toString('hex'),
  at: new Date(),
  idempotency: undefined,
  triggerId: undefined,
  ...more,
});
const keyed = (key: string, hash = 1): Partial<AcceptInput> => ({
  idempotency: {
    key,
    requestHash: Buffer.alloc(32, hash),
    answerStatus: 202,
    sealedAnswer: Buffer.from(`the answer to ${key}`),
  },
});
const outcomes = async (messages: readonly AcceptInput[]) =>
  (await Promise.all(messages.map(accept))).map(({ outcome }) => outcome);
const transactions = async (messages: readonly AcceptInput[]) => {
  const { rows } = await db.owner.query(
    'select array_agg(message_id order by message_id) as ids from events where message_id = any($1) group by txid order by 1',
    [messages.map(({ id }) => id)],
  );
  return rows.map(({ ids }) => ids);
};

describe('messages that are accepted', () => {
  it('alone have a transaction of their own', async () => {
    const [one, two] = [message(), message()];
    await accept(one);
    await accept(two);
    expect(await transactions([one, two])).toEqual([[one.id], [two.id]]);
  });

  it('at once share one, and each has its own outcome', async () => {
    const quoted = message();
    await accept(quoted);
    const batch = [
      message(keyed('first')),
      message(),
      message({ sessionId: newUuid() }),
      message({ contextMessageId: newUuid() }),
      message({ contextMessageId: quoted.id }),
      message(keyed('first')),
      message(keyed('first', 2)),
    ];
    expect(await outcomes(batch)).toEqual([
      'accepted',
      'accepted',
      'session_not_found',
      'context_not_found',
      'accepted',
      'replayed',
      'key_reused',
    ]);
    expect(await transactions(batch)).toEqual([[batch[0]?.id, batch[1]?.id, batch[4]?.id]]);
  });

  it('while others are being stored are many in the next one', async () => {
    const batch = Array.from({ length: 300 }, () => message());
    expect(new Set(await outcomes(batch))).toEqual(new Set(['accepted']));
    const together = await transactions(batch);
    expect(together.flat()).toHaveLength(300);
    expect(together.length).toBeLessThan(10);
  });

  it('of other accounts and modes are stored apart', async () => {
    const other = await seedAccount(db);
    const live = await seedSession(db, accountId, { mode: 'live' });
    const batch = [
      message(),
      message({ accountId: other, sessionId: await seedSession(db, other) }),
      message({ mode: 'live', sessionId: live }),
      message({ mode: 'live' }),
      message({ accountId: other }),
    ];
    expect(await outcomes(batch)).toEqual([
      'accepted',
      'accepted',
      'accepted',
      'session_not_found',
      'session_not_found',
    ]);
    expect(await transactions(batch)).toHaveLength(3);
  });

  it('beside one that Postgres refuses are stored all the same', async () => {
    const [good, twice] = [message(), message()];
    await accept(twice);
    const settled = await Promise.allSettled([message(), twice, good, message()].map(accept));
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
    expect(await transactions([good])).toHaveLength(1);
  });

  it('under the same keys in two processes, in either order, are stored once', async () => {
    const other = createAcceptWriter(db.database);
    const keys = Array.from({ length: 20 }, (_, n) => `key ${n}`);
    const found = await Promise.all([
      ...keys.map((key) => accept(message(keyed(key)))),
      ...keys.toReversed().map((key) => other(message(keyed(key)))),
    ]);
    expect(found.filter(({ outcome }) => outcome === 'accepted')).toHaveLength(20);
    expect(found.filter(({ outcome }) => outcome === 'replayed')).toHaveLength(20);
  });

  it('are all refused when the database is away, and none is tried again behind the caller', async () => {
    let tries = 0;
    const away = createAcceptWriter({
      ...db.database,
      account: (scope, work) => {
        tries++;
        return db.database.account(scope, async (tx) => {
          await work(tx);
          throw Object.assign(new Error('terminated'), { code: '57P01' });
        });
      },
    });
    const batch = [message(), message(), message()];
    const settled = await Promise.allSettled(batch.map(away));
    for (const result of settled) {
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'service.database_unavailable' } });
    }
    expect(tries).toBe(1);
    expect(await transactions(batch)).toEqual([]);
  });
});
