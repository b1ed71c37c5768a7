import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ROLE_SCOPES, ROLES } from '../../../src/features/members/roles.model.ts';
import { newUuid } from '../../../src/lib/ids.ts';
import { createTestDatabase, seedAccount, seedSession, type TestDatabase } from '../../support/database.ts';
import { openActivityLog, requestOf } from './usage-fixture.ts';

let db: TestDatabase;
let postgrest: pg.PoolClient;
let account: string;
let foreign: string;
const PROJECT = 'pingr-demo';
const UID = 'fbUid28charactersLongNotUuid';

beforeAll(async () => {
  db = await createTestDatabase(inject('postgresUrl'));
  [account, foreign] = [await seedAccount(db), await seedAccount(db, 'Other')];
  const [user, log] = [newUuid(), openActivityLog(db).log];
  await db.owner.query(
    'insert into users (id, email, firebase_project, firebase_uid) values ($1, $2, $3, $4)',
    [user, 'asha@example.com', PROJECT, UID],
  );
  await db.owner.query(`insert into members (account_id, user_id, role) values ($1, $2, 'viewer')`, [
    account,
    user,
  ]);
  for (const owner of [account, foreign]) {
    const session = await seedSession(db, owner);
    await db.owner.query(
      `insert into messages (id, account_id, mode, session_id, direction, type, content, wire_id, status, accepted_at)
       values ($1, $2, 'test', $3, 'outbound', 'text', 'sealed', $4, 'sent', now())`,
      [newUuid(), owner, session, newUuid()],
    );
    log.record(requestOf(owner));
  }
  await log.close();
  postgrest = await db.owner.connect();
  await postgrest.query('set session authorization authenticator');
});
afterAll(async () => {
  await postgrest.query('reset session authorization');
  postgrest.release();
  await db.close();
});

const token = (over: object = {}) => ({
  ...{ iss: `https://securetoken.google.com/${PROJECT}`, aud: PROJECT, sub: UID, role: 'authenticated' },
  ...over,
});

/** What PostgREST does with a request: a transaction with the token's role and claims. */
async function ask<T extends object>(
  sql: string,
  claims: object = token(),
  role = 'authenticated',
): Promise<T[]> {
  await postgrest.query('begin');
  try {
    await postgrest.query(
      `select set_config('role', $1, true), set_config('request.jwt.claims', $2, true),
         set_config('request.method', 'GET', true), set_config('search_path', 'public', true)`,
      [role, JSON.stringify(claims)],
    );
    return (await postgrest.query<T>(sql)).rows;
  } finally {
    await postgrest.query('rollback');
  }
}

/** The scope by which the API answers what a view shows. */
const SCOPE_OF = {
  dashboard_usage: 'usage:read',
  dashboard_sessions: 'sessions:read',
  dashboard_messages: 'messages:read',
} as const;
const VIEWS = ['dashboard_usage', 'dashboard_sessions', 'dashboard_messages'] as const;
const refused = { code: '42501' };

describe.each(VIEWS)('%s', (view) => {
  it("shows a Firebase user the rows of the user's own accounts", async () => {
    const rows = await ask<{ account_id: string }>(`select account_id from ${view}`);
    expect(rows.length).toBeGreaterThan(0);
    expect(new Set(rows.map((row) => row.account_id))).toEqual(new Set([account]));
    expect(await ask(`select * from ${view} where account_id = '${foreign}'`)).toEqual([]);
  });

  it('shows nothing to others, to tokens of other projects, or to claims of our own kind', async () => {
    const others = [
      token({ sub: 'somebodyElse' }),
      token({ sub: undefined }),
      token({ iss: 'https://securetoken.google.com/other', aud: 'other' }),
      token({ aud: 'other' }),
      { iss: 'pingr', account_id: account, role: 'authenticated' },
      {},
    ];
    for (const claims of others) expect(await ask(`select * from ${view}`, claims)).toEqual([]);
  });

  it.each(ROLES)('shows a member who is %s as much as the API would', async (role) => {
    await db.owner.query('update members set role = $2 where account_id = $1', [account, role]);
    const rows = await ask(`select account_id from ${view}`);
    const allowed = role === 'owner' || ROLE_SCOPES[SCOPE_OF[view]]?.includes(role);
    expect(rows.length > 0).toBe(allowed);
    await db.owner.query(`update members set role = 'viewer' where account_id = $1`, [account]);
  });

  it('shows nothing of an account that is closed, until it is restored', async () => {
    await db.owner.query(
      `insert into account_closures (account_id, id, requested_at, erase_at, session_ids)
       values ($1, $2, now(), now() + interval '7 days', '{}')`,
      [account, newUuid()],
    );
    expect(await ask(`select * from ${view}`)).toEqual([]);
    await db.owner.query('delete from account_closures where account_id = $1', [account]);
    expect(await ask(`select * from ${view}`)).not.toEqual([]);
  });

  it('is refused to those who are not signed in, and takes no writing', async () => {
    await expect(ask(`select * from ${view}`, {}, 'anon')).rejects.toMatchObject(refused);
    await expect(ask(`delete from ${view}`)).rejects.toMatchObject(refused);
    await expect(ask(`update ${view} set mode = 'live'`)).rejects.toMatchObject(refused);
    await expect(ask(`insert into ${view} default values`)).rejects.toMatchObject(refused);
  });

  it('finds the accounts by an index, asking once whose they are', async () => {
    const plan = await ask<{ 'QUERY PLAN': string }>(`explain select * from ${view}`);
    const text = plan.map((line) => line['QUERY PLAN']).join('\n');
    expect(text).toMatch(/InitPlan/);
    expect(text).not.toMatch(/SubPlan/);
    await postgrest.query('set enable_seqscan = off');
    const indexed = await ask<{ 'QUERY PLAN': string }>(`explain select * from ${view}`);
    await postgrest.query('reset enable_seqscan');
    expect(indexed.map((line) => line['QUERY PLAN']).join('\n')).toMatch(/Index Cond: \(account_id = ANY/);
  });
});

describe('a signed-in dashboard', () => {
  it('reaches nothing of the tables but what the views show', async () => {
    for (const column of ['content', 'contact_name', 'wire_id', 'error_detail']) {
      await expect(ask(`select ${column} from messages`), column).rejects.toMatchObject(refused);
    }
    for (const column of ['qr', 'pairing_code', 'pacing']) {
      await expect(ask(`select ${column} from sessions`), column).rejects.toMatchObject(refused);
    }
    for (const table of ['activity_log', 'usage_cursors', 'members', 'users', 'api_keys']) {
      await expect(ask(`select * from ${table}`), table).rejects.toMatchObject(refused);
    }
  });

  it('loses sight of an account with its membership', async () => {
    await db.owner.query('delete from members where account_id = $1', [account]);
    expect(await ask('select * from dashboard_usage')).toEqual([]);
  });
});
