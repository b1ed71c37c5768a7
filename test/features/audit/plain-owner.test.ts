import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { newUuid } from '../../../src/lib/ids.ts';
import { createDatabase, type Database } from '../../../src/platform/db/database.ts';
import { migrate } from '../../../src/platform/db/migrate.ts';
import { createPool } from '../../../src/platform/db/pool.ts';
import { dropDatabase } from '../../support/database.ts';
import { silentLog } from '../../support/log.ts';
import { createPlainOwner, dropPlainOwner } from '../../support/plain-owner.ts';

// Functions that act as the owner of the tables must do so under forced row-level security too, where the owner is no
// superuser, as on a hosted Postgres.

const name = `pingr_owner_${randomUUID().replaceAll('-', '').slice(0, 12)}`;
let admin: pg.Client;
let pool: pg.Pool;
let database: Database;
const asSuperuser = (sql: string) => admin.query(sql);

beforeAll(async () => {
  admin = new pg.Client({ connectionString: inject('postgresUrl') });
  await admin.connect();
  await createPlainOwner(asSuperuser, name);
  await admin.query(`create database ${name} owner ${name}`);
  const url = new URL(inject('postgresUrl'));
  url.pathname = name;
  url.username = name;
  url.password = 'x';
  await migrate({ url: url.href });
  pool = createPool({ url: url.href, max: 2, name: 'plain-owner', log: silentLog });
  database = createDatabase(pool);
});
afterAll(async () => {
  await pool?.end();
  await dropDatabase(inject('postgresUrl'), name);
  await dropPlainOwner(asSuperuser, name);
  await admin.end();
});

const [accountId, userId, otherId] = [newUuid(), newUuid(), newUuid()];
const actor = { type: 'user', id: userId, role: 'owner' } as const;

describe('on a database whose owner is no superuser', () => {
  it('changes are audited, members are seen by their account, and users without any are forgotten', async () => {
    await database.system(async (tx) => {
      await tx.query(`insert into accounts (id, name) values ($1, 'Acme')`, [accountId]);
      for (const [i, id] of [userId, otherId].entries()) {
        await tx.query(
          `insert into users (id, email, firebase_project, firebase_uid) values ($1, $2, 'demo', $3)`,
          [id, `${i}@example.com`, `uid-${i}`],
        );
        await tx.query(`insert into members (account_id, user_id, role) values ($1, $2, 'owner')`, [
          accountId,
          id,
        ]);
      }
    });
    const removed = await database.account({ accountId, actor }, async (tx) => {
      const seen = await tx.query<{ email: string }>('select email from users order by email');
      await tx.query('delete from members where user_id = $1', [otherId]);
      return seen.map(({ email }) => email);
    });
    expect(removed).toEqual(['0@example.com', '1@example.com']);
    const left = await database.systemOnce((tx) => tx.query<{ id: string }>('select id from users'));
    expect(left).toEqual([{ id: userId }]);
    const written = await database.accountOnce({ accountId }, (tx) =>
      tx.query(
        `select actor_id, action from audit_log where target_type = 'members' order by id desc limit 1`,
      ),
    );
    expect(written).toEqual([{ actor_id: userId, action: 'deleted' }]);
  });

  it('an owner who leaves takes their address along, and the others are written to', async () => {
    const leaverId = newUuid();
    await database.system(async (tx) => {
      await tx.query(`insert into users (id, email) values ($1, 'leaver@example.com')`, [leaverId]);
      await tx.query(`insert into members (account_id, user_id, role) values ($1, $2, 'owner')`, [
        accountId,
        leaverId,
      ]);
      await tx.query(`update accounts set email = 'leaver@example.com' where id = $1`, [accountId]);
    });
    const written = () =>
      database.accountOnce({ accountId }, (tx) =>
        tx.query<{ email: string }>('select email from app.written_to($1) order by email', [accountId]),
      );
    expect((await written()).map(({ email }) => email)).toEqual(['0@example.com', 'leaver@example.com']);
    await database.account({ accountId, actor }, (tx) =>
      tx.query('delete from members where user_id = $1', [leaverId]),
    );
    expect((await written()).map(({ email }) => email)).toEqual(['0@example.com']);
  });

  it('a Firebase token of the right project finds its accounts, and no other token any', async () => {
    const accountsOf = async (claims: object) => {
      const direct = new pg.Client({ connectionString: databaseUrl() });
      await direct.connect();
      try {
        await direct.query('begin');
        await direct.query(`select set_config('request.jwt.claims', $1, true)`, [JSON.stringify(claims)]);
        await direct.query('set local role authenticated');
        const { rows } = await direct.query('select app.my_accounts() as id, app.member_of($1) as member', [
          accountId,
        ]);
        return rows;
      } finally {
        await direct.end();
      }
    };
    const token = { sub: 'uid-0', aud: 'demo', iss: 'https://securetoken.google.com/demo' };
    expect(await accountsOf(token)).toEqual([{ id: accountId, member: true }]);
    expect(await accountsOf({ ...token, aud: 'other', iss: 'https://securetoken.google.com/other' })).toEqual(
      [],
    );
    expect(await accountsOf({ ...token, iss: 'pingr' })).toEqual([]);
    expect(await accountsOf({ ...token, sub: 'uid-1' })).toEqual([]);
    expect(await accountsOf({})).toEqual([]);
    await database.systemOnce((tx) =>
      tx.query(
        `insert into account_closures (account_id, id, requested_at, erase_at, session_ids)
         values ($1, $2, now(), now(), '{}')`,
        [accountId, newUuid()],
      ),
    );
    expect(await accountsOf(token)).toEqual([]);
  });
});

function databaseUrl(): string {
  const url = new URL(inject('postgresUrl'));
  url.pathname = name;
  return url.href;
}
