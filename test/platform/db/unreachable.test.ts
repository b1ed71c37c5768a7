import net from 'node:net';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createDatabase, type Database } from '../../../src/platform/db/database.ts';
import { createPool } from '../../../src/platform/db/pool.ts';
import { createTestDatabase, seedAccount, type TestDatabase } from '../../support/database.ts';
import { silentLog } from '../../support/log.ts';

let db: TestDatabase;
let accountId: string;
beforeAll(async () => {
  db = await createTestDatabase(inject('postgresUrl'));
  accountId = await seedAccount(db);
});
afterAll(() => db.close());

const UNAVAILABLE = { code: 'service.database_unavailable', definition: { status: 503 } };
type Ways = [string, (database: Database, text: string) => Promise<unknown>][];
const WAYS: Ways = [
  ['account', (database, text) => database.account({ accountId }, (tx) => tx.query(text))],
  ['accountOnce', (database, text) => database.accountOnce({ accountId }, (tx) => tx.query(text))],
  ['system', (database, text) => database.system((tx) => tx.query(text))],
  ['systemOnce', (database, text) => database.systemOnce((tx) => tx.query(text))],
];

describe.each(WAYS)('%s, while the database is away,', (_, run) => {
  it('says so where nothing listens', async () => {
    const port = await closedPort();
    const pool = createPool({
      url: `postgres://x@127.0.0.1:${port}/x`,
      max: 1,
      name: 'test',
      log: silentLog,
    });
    await expect(run(createDatabase(pool), 'select 1')).rejects.toMatchObject(UNAVAILABLE);
    await pool.end();
  });

  it('says so when the connection ends in the middle, and the next call has a fresh one', async () => {
    const asleep = expect(run(db.database, 'select pg_sleep(10)')).rejects.toMatchObject(UNAVAILABLE);
    await expect.poll(() => endConnections(`query like '%pg_sleep(10)' and state = 'active'`)).toBe(1);
    await asleep;
    await expect(run(db.database, 'select 1 as one')).resolves.toEqual([{ one: 1 }]);
  });

  it('does not notice that idle connections were ended', async () => {
    await run(db.database, 'select 1');
    await endConnections('true');
    await expect.poll(() => db.pool.totalCount + db.systemPool.totalCount).toBe(0);
    await expect(run(db.database, 'select 1 as one')).resolves.toEqual([{ one: 1 }]);
  });

  it("lets the statement's own fault through", async () => {
    await expect(run(db.database, 'select 1/0')).rejects.toMatchObject({ code: '22012' });
  });
});

it('a transaction in which a statement failed is not committed, even where the work swallowed the failure', async () => {
  const swallowing = db.database.account({ accountId }, async (tx) => {
    await tx.query(`update accounts set name = 'gone'`);
    await tx.query('select 1/0').catch(() => undefined);
  });
  await expect(swallowing).rejects.toThrow('rolled back');
  const { rows } = await db.owner.query('select name from accounts where id = $1', [accountId]);
  expect(rows).toEqual([{ name: 'Acme' }]);
});

it('one trip takes one statement', async () => {
  const twice = db.database.accountOnce({ accountId }, async (tx) => {
    await tx.query('select 1');
    await tx.query('select 2');
  });
  await expect(twice).rejects.toThrow('takes one statement');
});

/** Ends connections of the pool, as a restart of the server does. @returns how many. */
async function endConnections(which: string): Promise<number> {
  const { rows } = await db.owner.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and application_name = 'test' and ${which}`,
  );
  return rows.length;
}

/** A port on which nothing listens. */
function closedPort(): Promise<number> {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
