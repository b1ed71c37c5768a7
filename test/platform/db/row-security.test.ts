import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { newUuid } from '../../../src/lib/ids.ts';
import { createTestDatabase, seedAccount, seedSession, type TestDatabase } from '../../support/database.ts';

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
  app.rate_limits      AAAA  RRRR  RRRR           RRRR  RRRR     -     AAAA`;

type Verb = 'select' | 'insert' | 'update' | 'delete';
const VERBS: readonly Verb[] = ['select', 'insert', 'update', 'delete'];

interface Fixture {
  /** A row of account A in test mode that can be inserted. */
  row: () => Record<string, unknown>;
  /** A column that the account scope may write, where it may write any. */
  writes: string;
  /** Columns that name the row. */
  key: string[];
}

let db: TestDatabase;
let client: pg.PoolClient;
let account: string;
let foreign: string;
let bare: { account: string; session: string };
let session: string;
let endpoint: string;
let trigger: string;

const uuid = () => newUuid();
const bytes = () => randomBytes(8);
const owned = () => ({ account_id: account, mode: 'test' });
const FIXTURES: Record<string, Fixture> = {
  accounts: { row: () => ({ id: uuid(), name: 'x' }), writes: 'name', key: ['id'] },
  account_data_keys: {
    row: () => ({ account_id: bare.account, wrapped_key: bytes() }),
    writes: 'wrapped_key',
    key: ['account_id'],
  },
  api_keys: {
    row: () => ({ id: uuid(), ...owned(), name: 'x', hash: bytes(), hint: 'pk', scopes: [] }),
    writes: 'name',
    key: ['id'],
  },
  idempotency_keys: {
    row: () => ({ ...owned(), key: uuid(), request_hash: bytes() }),
    writes: 'status',
    key: ['account_id', 'mode', 'key'],
  },
  sessions: { row: () => ({ id: uuid(), ...owned(), name: 'x' }), writes: 'name', key: ['id'] },
  session_leases: {
    row: () => ({ session_id: bare.session, ...owned() }),
    writes: 'wanted',
    key: ['session_id'],
  },
  session_credentials: {
    row: () => ({ session_id: session, account_id: account, sealed: bytes() }),
    writes: 'sealed',
    key: ['session_id'],
  },
  session_keys: {
    row: () => ({ session_id: session, account_id: account, kind: 'k', key_id: uuid(), sealed: bytes() }),
    writes: 'sealed',
    key: ['session_id', 'kind', 'key_id'],
  },
  workers: { row: () => ({ id: uuid(), mode: 'test' }), writes: 'leaving', key: ['id'] },
  messages: {
    row: () => ({
      ...{ id: uuid(), ...owned(), session_id: session, direction: 'outbound', type: 'text' },
      ...{ wire_id: uuid(), status: 'queued', accepted_at: new Date() },
    }),
    writes: 'status',
    key: ['id'],
  },
  events: {
    row: () => ({ id: uuid(), ...owned(), type: 'x', data: {}, created_at: new Date() }),
    writes: 'type',
    key: ['id'],
  },
  contact_identities: {
    row: () => ({ ...owned(), lid: uuid(), phone: '1' }),
    writes: 'phone',
    key: ['account_id', 'mode', 'lid'],
  },
  webhook_endpoints: {
    row: () => ({ id: uuid(), ...owned(), url: 'https://example.com', events: ['*'], secret: bytes() }),
    writes: 'url',
    key: ['id'],
  },
  webhook_deliveries: {
    row: () => ({
      ...{ id: uuid(), ...owned(), endpoint_id: uuid(), event_id: uuid() },
      ...{ event_type: 'x', event_at: new Date() },
    }),
    writes: 'status',
    key: ['id'],
  },
  webhook_attempts: {
    row: () => ({
      ...{ id: uuid(), ...owned(), delivery_id: uuid(), endpoint_id: uuid() },
      ...{ number: 1, started_at: new Date() },
    }),
    writes: 'outcome',
    key: ['id'],
  },
  webhook_lanes: {
    row: () => ({ endpoint_id: endpoint, ...owned() }),
    writes: 'owner',
    key: ['endpoint_id'],
  },
  triggers: {
    row: () => ({ id: uuid(), ...owned(), name: 'x', match: 'any' }),
    writes: 'name',
    key: ['id'],
  },
  trigger_senders: {
    row: () => ({ trigger_id: trigger, ...owned(), contact: uuid(), last_fired_at: new Date() }),
    writes: 'last_fired_at',
    key: ['trigger_id', 'contact'],
  },
  trigger_checks: {
    row: () => ({ message_id: uuid(), ...owned(), session_id: session }),
    writes: 'attempts',
    key: ['message_id'],
  },
  mails: {
    row: () => ({
      ...{ id: uuid(), account_id: account, template: 'magic_link' },
      ...{ status: 'queued', created_at: new Date() },
    }),
    writes: 'status',
    key: ['id'],
  },
  'app.rate_limits': { row: () => ({ key: uuid() }), writes: 'points', key: ['key'] },
};

const claims = (accountId: string, mode?: string) => ({ iss: 'pingr', account_id: accountId, mode });
const ROLES: Record<string, () => { role: string; claims: object }> = {
  app: () => ({ role: 'pingr_app', claims: claims(account) }),
  anon: () => ({ role: 'anon', claims: claims(account) }),
  authenticated: () => ({ role: 'authenticated', claims: claims(account) }),
  own: () => ({ role: 'pingr_account', claims: claims(account, 'test') }),
  foreign: () => ({ role: 'pingr_account', claims: claims(foreign, 'test') }),
  live: () => ({ role: 'pingr_account', claims: claims(account, 'live') }),
  system: () => ({ role: 'service_role', claims: {} }),
};

const MATRIX = readMatrix(EXPECTED);

beforeAll(async () => {
  db = await createTestDatabase(inject('postgresUrl'));
  account = await seedAccount(db);
  foreign = await seedAccount(db, 'Other');
  session = await seedSession(db, account);
  // One without a data key, and a session without a lease: rows of those tables are one to one.
  bare = { account, session: newUuid() };
  await db.owner.query('delete from account_data_keys where account_id = $1', [account]);
  await db.owner.query(`insert into sessions (id, account_id, mode, name) values ($1, $2, 'test', 'bare')`, [
    bare.session,
    account,
  ]);
  endpoint = newUuid();
  await db.owner.query(
    `insert into webhook_endpoints (id, account_id, mode, url, events, secret) values ($1, $2, 'test', 'https://example.com', '{*}', '')`,
    [endpoint, account],
  );
  trigger = newUuid();
  await db.owner.query(
    `insert into triggers (id, account_id, mode, name, match) values ($1, $2, 'test', 'x', 'any')`,
    [trigger, account],
  );
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
  it.each(writable.map(([table]) => table))('lets no account give a row of %s away', async (table) => {
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

/** Tries the verb on a row of account A; everything is rolled back. */
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
    // A's own account is its row of `accounts`, so that the account scope has one to see.
    const made = table === 'accounts' && withRow ? { id: account, name: 'Acme' } : row();
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
