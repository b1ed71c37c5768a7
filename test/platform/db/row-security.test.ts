import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { newUuid } from '../../../src/lib/ids.ts';
import { createTestDatabase, seedAccount, seedSession, type TestDatabase } from '../../support/database.ts';
import { FIXTURES, type Fixture, seeds } from './row-fixtures.ts';

/**
 * What each role may do to a row of account A in test mode, for select, insert, update and delete in this order:
 * A allowed, F filtered (the row is not there for this role), R refused by Postgres, - does not apply.
 * `own`, `foreign` and `live` are the account scope of A, of another account, and of A in live mode.
 */
const EXPECTED = `
  table                app   anon  authenticated  own   foreign  live  system
  accounts             RRRR  RRRR  RRRR           ARAR  FRFR     -     AAAA
  account_data_keys    RRRR  RRRR  RRRR           RRRR  RRRR     -     AAAA
  api_keys             RRRR  RRRR  RRRR           AAAR  FRFR     FRFR  AAAA
  idempotency_keys     RRRR  RRRR  RRRR           AAAA  FRFF     FRFF  AAAA
  sessions             RRRR  RRRR  RRRR           AAAR  FRFR     FRFR  AAAA
  session_leases       RRRR  RRRR  RRRR           AAAR  FRFR     FRFR  AAAA
  session_credentials  RRRR  RRRR  RRRR           RRRR  RRRR     -     AAAA
  session_keys         RRRR  RRRR  RRRR           RRRR  RRRR     -     AAAA
  workers              RRRR  RRRR  RRRR           RRRR  RRRR     RRRR  AAAA
  messages             RRRR  RRRR  RRRR           AAAR  FRFR     FRFR  AAAA
  events               RRRR  RRRR  RRRR           AARR  FRRR     FRRR  AAAA
  contact_identities   RRRR  RRRR  RRRR           AAAR  FRFR     FRFR  AAAA
  webhook_endpoints    RRRR  RRRR  RRRR           AAAA  FRFF     FRFF  AAAA
  webhook_deliveries   RRRR  RRRR  RRRR           AAAR  FRFR     FRFR  AAAA
  webhook_attempts     RRRR  RRRR  RRRR           ARRR  FRRR     FRRR  AAAA
  webhook_lanes        RRRR  RRRR  RRRR           RRRR  RRRR     RRRR  AAAA
  triggers             RRRR  RRRR  RRRR           AAAA  FRFF     FRFF  AAAA
  trigger_senders      RRRR  RRRR  RRRR           AAAR  FRFR     FRFR  AAAA
  trigger_checks       RRRR  RRRR  RRRR           AAAA  FRFF     FRFF  AAAA
  mails                RRRR  RRRR  RRRR           RARR  RRRR     -     AAAA
  users                RRRR  RRRR  RRRR           FRFR  FRFR     -     AAAA
  members              RRRR  RRRR  RRRR           AAAA  FRFF     -     AAAA
  invitations          RRRR  RRRR  RRRR           AAAA  FRFF     -     AAAA
  sign_ins             RRRR  RRRR  RRRR           RRRR  RRRR     -     AAAA
  used_links           RRRR  RRRR  RRRR           RRRR  RRRR     -     AAAA
  audit_log            RRRR  RRRR  RRRR           ARRR  FRRR     FRRR  AAAA
  activity_log         RRRR  RRRR  RRRR           ARRR  FRRR     FRRR  AAAA
  usage_counts         RRRR  RRRR  FRRR           ARRR  FRRR     FRRR  AAAA
  usage_cursors        RRRR  RRRR  RRRR           RRRR  RRRR     RRRR  AAAA
  app.usage_progress   RRRR  RRRR  RRRR           RRRR  RRRR     -     AAAR
  account_closures     RRRR  RRRR  RRRR           ARRR  FRRR     -     AAAA
  account_exports      RRRR  RRRR  RRRR           AARR  FRRR     -     AAAA
  account_alerts       RRRR  RRRR  RRRR           ARRR  FRRR     FRRR  AAAA
  key_networks         RRRR  RRRR  RRRR           RRRR  RRRR     -     AAAA
  key_countries        RRRR  RRRR  RRRR           RRRR  RRRR     -     AAAA
  app.erasures         RRRR  RRRR  RRRR           RRRR  RRRR     -     AAAA
  app.legal_records    RRRR  RRRR  RRRR           RRRR  RRRR     -     AAAA
  app.legal_tables     RRRR  RRRR  RRRR           RRRR  RRRR     -     ARRR
  subscriptions        RRRR  RRRR  RRRR           ARRR  FRRR     -     AAAA
  provider_subscriptions RRRR RRRR RRRR           AAAR  FRFR     -     AAAA
  billing_customers    RRRR  RRRR  RRRR           AARR  FRRR     -     AAAA
  invoices             RRRR  RRRR  RRRR           ARRR  FRRR     -     AAAA
  payment_events       RRRR  RRRR  RRRR           RRRR  RRRR     -     AAAA
  quotas               RRRR  RRRR  RRRR           ARAR  FRFR     FRFR  AAAA
  message_credit       RRRR  RRRR  RRRR           AAAR  FRFR     FRFR  AAAA
  app.plans            RRRR  RRRR  RRRR           ARRR  ARRR     -     AAAA
  app.plan_prices      RRRR  RRRR  RRRR           ARRR  ARRR     -     AAAA
  app.provider_prices  RRRR  RRRR  RRRR           RRRR  RRRR     -     AAAA
  app.billing_settings RRRR  RRRR  RRRR           RRRR  RRRR     -     AAAA
  app.growing_tables   RRRR  RRRR  RRRR           RRRR  RRRR     -     ARRR
  app.purge_runs       RRRR  RRRR  RRRR           RRRR  RRRR     -     AAAA
  app.content_marks    RRRR  RRRR  RRRR           RRRR  RRRR     RRRR  AAAA
  app.content_waits    RRRR  RRRR  RRRR           RRRR  RRRR     RRRR  AAAA
  app.content_graces   RRRR  RRRR  RRRR           ARRR  FRRR     -     AAAA
  app.rate_limits      AAAA  RRRR  RRRR           RRRR  RRRR     -     AAAA`;

type Verb = 'select' | 'insert' | 'update' | 'delete';
const VERBS: readonly Verb[] = ['select', 'insert', 'update', 'delete'];

let db: TestDatabase;
let client: pg.PoolClient;
let foreign: string;

const claims = (accountId: string, mode?: string) => ({ iss: 'pingr', account_id: accountId, mode });
const ROLES: Record<string, () => { role: string; claims: object }> = {
  app: () => ({ role: 'pingr_app', claims: claims(seeds.account) }),
  anon: () => ({ role: 'anon', claims: claims(seeds.account) }),
  authenticated: () => ({ role: 'authenticated', claims: claims(seeds.account) }),
  own: () => ({ role: 'pingr_account', claims: claims(seeds.account, 'test') }),
  foreign: () => ({ role: 'pingr_account', claims: claims(foreign, 'test') }),
  live: () => ({ role: 'pingr_account', claims: claims(seeds.account, 'live') }),
  system: () => ({ role: 'service_role', claims: {} }),
};

const MATRIX = readMatrix(EXPECTED);

beforeAll(async () => {
  db = await createTestDatabase(inject('postgresUrl'));
  seeds.account = await seedAccount(db);
  foreign = await seedAccount(db, 'Other');
  seeds.session = await seedSession(db, seeds.account);
  // One without a data key, and a session without a lease: rows of those tables are one to one.
  seeds.bare = { account: seeds.account, session: newUuid() };
  for (const table of ['account_data_keys', 'subscriptions', 'quotas']) {
    await db.owner.query(`delete from ${table} where account_id = $1`, [seeds.account]);
  }
  await db.owner.query(`insert into sessions (id, account_id, mode, name) values ($1, $2, 'test', 'bare')`, [
    seeds.bare.session,
    seeds.account,
  ]);
  seeds.endpoint = newUuid();
  await db.owner.query(
    `insert into webhook_endpoints (id, account_id, mode, url, events, secret) values ($1, $2, 'test', 'https://example.com', '{*}', '')`,
    [seeds.endpoint, seeds.account],
  );
  seeds.trigger = newUuid();
  await db.owner.query(
    `insert into triggers (id, account_id, mode, name, match) values ($1, $2, 'test', 'x', 'any')`,
    [seeds.trigger, seeds.account],
  );
  seeds.keyId = newUuid();
  await db.owner.query(
    `insert into api_keys (id, account_id, mode, name, hash, hint, scopes) values ($1, $2, 'test', 'x', $3, 'pk', '{}')`,
    [seeds.keyId, seeds.account, randomBytes(8)],
  );
  seeds.user = newUuid();
  await db.owner.query(`insert into users (id, email) values ($1, 'row@example.com')`, [seeds.user]);
  client = await db.owner.connect();
});
afterAll(async () => {
  client.release();
  await db.close();
});

describe('row-level security', () => {
  it('is stated here for every table there is', async () => {
    const { rows } = await db.owner.query<{ name: string }>(
      `select case n.nspname when 'public' then '' else n.nspname || '.' end || c.relname as name
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname in ('public', 'app') and c.relkind in ('r', 'p') and not c.relispartition`,
    );
    expect([...MATRIX.keys()].sort()).toEqual(rows.map(({ name }) => name).sort());
  });

  const cases = [...MATRIX].flatMap(([table, row]) =>
    [...row].map(([role, verdicts]) => ({ table, role, verdicts })),
  );
  it.each(cases)('$table as $role: $verdicts', async ({ table, role, verdicts }) => {
    const seen: string[] = [];
    for (const verb of VERBS) seen.push(await attempt(table, role, verb));
    expect(seen.join('')).toBe(verdicts);
  });

  const writable = [...MATRIX].filter(([table, row]) => row.get('own')?.[2] === 'A' && table !== 'accounts');
  it.each(writable.map(([table]) => table))('lets no seeds.account give a row of %s away', async (table) => {
    await inRole(table, 'own', async (where, values) => {
      const giving = client.query(`update ${table} set account_id = '${foreign}' ${where}`, values);
      await expect(giving).rejects.toMatchObject({ code: '42501' });
    });
  });

  it('lets nobody reach a partition but through its table', async () => {
    for (const role of Object.keys(ROLES)) {
      const reading = inRole('messages', role, () => client.query('select * from messages_default'));
      await expect(reading, role).rejects.toMatchObject({ code: '42501' });
    }
  });
});

/** Tries the verb on a row of seeds.account A; everything is rolled back. */
async function attempt(table: string, role: string, verb: Verb): Promise<'A' | 'F' | 'R'> {
  const { row, writes } = fixtureOf(table);
  try {
    const rowCount = await inRole(
      table,
      role,
      async (where, values) => {
        if (verb === 'select')
          return (await client.query(`select * from ${table} ${where}`, values)).rowCount;
        if (verb === 'delete') return (await client.query(`delete from ${table} ${where}`, values)).rowCount;
        if (verb === 'insert') return insert(table, row());
        return (await client.query(`update ${table} set ${writes} = ${writes} ${where}`, values)).rowCount;
      },
      verb !== 'insert',
    );
    return rowCount === 0 ? 'F' : 'A';
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === '42501') return 'R';
    throw error;
  }
}

async function inRole<T>(
  table: string,
  role: string,
  work: (where: string, values: unknown[]) => Promise<T>,
  withRow = true,
): Promise<T> {
  const { row, key } = fixtureOf(table);
  const actor = ROLES[role]?.();
  if (actor === undefined) throw new Error(`no role ${role}`);
  await client.query('begin');
  try {
    // A's own seeds.account is its row of `accounts`, so that the seeds.account scope has one to see.
    const made = table === 'accounts' && withRow ? { id: seeds.account, name: 'Acme' } : row();
    if (withRow && table !== 'accounts') await insert(table, made);
    await client.query(`select set_config('role', $1, true), set_config('request.jwt.claims', $2, true)`, [
      actor.role,
      JSON.stringify(actor.claims),
    ]);
    const entries = Object.entries(made).filter(([column]) => key.includes(column));
    const where = `where ${entries.map(([column], i) => `${column} = $${i + 1}`).join(' and ')}`;
    return await work(
      where,
      entries.map(([, value]) => value),
    );
  } finally {
    await client.query('rollback');
  }
}

async function insert(table: string, row: Record<string, unknown>): Promise<number | null> {
  const columns = Object.keys(row);
  const places = columns.map((_, i) => `$${i + 1}`);
  const text = `insert into ${table} (${columns.join(', ')}) values (${places.join(', ')})`;
  return (await client.query(text, Object.values(row))).rowCount;
}

function fixtureOf(table: string): Fixture {
  const fixture = FIXTURES[table];
  if (fixture === undefined) throw new Error(`no fixture for ${table}`);
  return fixture;
}

function readMatrix(text: string): Map<string, Map<string, string>> {
  const [header = [], ...lines] = text
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  const rolesOf = (cells: string[]) =>
    new Map(cells.flatMap((cell, i) => (i === 0 || cell === '-' ? [] : [[header[i] ?? '', cell] as const])));
  return new Map(lines.map((cells) => [cells[0] ?? '', rolesOf(cells)]));
}
