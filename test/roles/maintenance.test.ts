import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { newUuid } from '../../src/lib/ids.ts';
import { keepUp } from '../../src/roles/maintenance.ts';
import { createTestDatabase, seedAccount, seedSession, type TestDatabase } from '../support/database.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase(inject('postgresUrl'));
});
afterAll(() => db.close());

const notified: string[] = [];

async function runUpkeep(): Promise<void> {
  await keepUp({
    database: db.database,
    mails: { sweep: async () => 0 },
    events: { notify: (account) => void notified.push(account) },
  });
}

async function seedQueued(account: string, session: string, age: string): Promise<string> {
  const id = newUuid();
  await db.owner.query(
    `insert into messages (id, account_id, mode, session_id, direction, type, wire_id, status, accepted_at)
     values ($1, $2, 'test', $3, 'outbound', 'text', 'wire', 'queued', now() - $4::interval)`,
    [id, account, session, age],
  );
  return id;
}

const statusOf = async (id: string) =>
  (await db.owner.query('select status, error_code from messages where id = $1', [id])).rows[0];

describe('upkeep', () => {
  it('fails messages that a session left behind when it ended, and says so', async () => {
    const account = await seedAccount(db);
    const ended = await seedSession(db, account, { status: 'logged_out', phone: null });
    const [left, deleted] = [
      await seedQueued(account, ended, '2 minutes'),
      await seedQueued(account, newUuid(), '2 minutes'),
    ];
    await runUpkeep();
    for (const id of [left, deleted]) {
      expect(await statusOf(id)).toEqual({ status: 'failed', error_code: 'message.session_closed' });
    }
    expect(notified).toEqual([account]);
    const { rows } = await db.owner.query(
      `select message_id from events where type = 'message.failed' order by 1`,
    );
    expect(rows.map((row) => row.message_id)).toEqual([left, deleted].toSorted());
  });

  it('leaves alone what is young, and what a session that comes back will send', async () => {
    const account = await seedAccount(db);
    const [away, ended] = [
      await seedSession(db, account, { status: 'disconnected' }),
      await seedSession(db, account, { status: 'banned' }),
    ];
    const waiting = await seedQueued(account, away, '3 days');
    const young = await seedQueued(account, ended, '1 second');
    await runUpkeep();
    for (const id of [waiting, young]) expect(await statusOf(id)).toMatchObject({ status: 'queued' });
  });

  it('forgets workers that were killed', async () => {
    const [gone, alive] = [newUuid(), newUuid()];
    await db.owner.query(
      `insert into workers (id, mode, beat_at) values ($1, 'test', now() - interval '1 hour'), ($2, 'test', now())`,
      [gone, alive],
    );
    await runUpkeep();
    const { rows } = await db.owner.query('select id from workers');
    expect(rows).toEqual([{ id: alive }]);
  });
});
