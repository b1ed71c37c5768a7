import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createTestDatabase, seedAccount, type TestDatabase } from '../../support/database.ts';
import { inOpenTransaction } from '../../support/open-transaction.ts';

let db: TestDatabase;
let account: string;
let other: string;

beforeAll(async () => {
  db = await createTestDatabase(inject('postgresUrl'));
  account = await seedAccount(db);
  other = await seedAccount(db, 'Other');
});
afterAll(() => db.close());

describe('account scope', () => {
  it('sees the rows of its account and no other', async () => {
    const rows = await db.database.account({ accountId: account }, (tx) =>
      tx.query<{ id: string }>('select id from accounts'),
    );
    expect(rows).toEqual([{ id: account }]);
    const one = await db.database.accountOnce({ accountId: other }, (tx) =>
      tx.query<{ id: string }>('select id from accounts'),
    );
    expect(one).toEqual([{ id: other }]);
  });

  it('refuses a query outside of a scope', async () => {
    await expect(db.pool.query('select * from accounts')).rejects.toThrow(/permission denied/);
  });

  it('leaves nothing behind on the connection', async () => {
    await db.database.account({ accountId: account }, (tx) => tx.query('select 1'));
    const { rows } = await db.pool.query(
      `select current_user::text as who, current_setting('request.jwt.claims', true) as claims`,
    );
    expect(rows).toEqual([{ who: 'pingr_app', claims: expect.toSatisfy((claims: unknown) => !claims) }]);
  });

  it('rolls back when the work throws, and the connection stays usable', async () => {
    const rename = db.database.account({ accountId: account }, async (tx) => {
      await tx.query(`update accounts set name = 'gone' where id = $1`, [account]);
      throw new Error('no');
    });
    await expect(rename).rejects.toThrow('no');
    const { rows } = await db.owner.query('select name from accounts where id = $1', [account]);
    expect(rows).toEqual([{ name: 'Acme' }]);
  });

  it('reports a failing statement in one trip and goes on with the next', async () => {
    await expect(
      db.database.accountOnce({ accountId: account }, (tx) => tx.query('select 1/0')),
    ).rejects.toThrow(/division/);
    await expect(
      db.database.accountOnce({ accountId: account }, (tx) => tx.query('select 1 as one')),
    ).resolves.toEqual([{ one: 1 }]);
  });

  it('does not commit in one trip what a deferred check refuses', async () => {
    await expect(
      db.database.accountOnce({ accountId: account }, (tx) =>
        tx.query('insert into accounts (id, name) values ($1, $2)', [other, 'x']),
      ),
    ).rejects.toThrow();
  });

  it('takes a claim from a foreign issuer for nothing', async () => {
    const seen = await inOpenTransaction(db.pool, async (client) => {
      await client.query(
        `select set_config('role', 'pingr_account', true), set_config('request.jwt.claims', $1, true)`,
        [JSON.stringify({ iss: 'https://securetoken.google.com/x', account_id: account })],
      );
      return (await client.query('select * from accounts')).rows;
    });
    expect(seen).toEqual([]);
  });
});
