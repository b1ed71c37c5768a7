import { randomBytes } from 'node:crypto';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import pg from 'pg';
import { UUID } from 'uuidv7';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { newUuid } from '../../../src/lib/ids.ts';
import { createDatabase } from '../../../src/platform/db/database.ts';
import { MIGRATIONS, migrate, pendingMigrations } from '../../../src/platform/db/migrate.ts';
import { createPool } from '../../../src/platform/db/pool.ts';
import { createTestDatabase, dropDatabase, type TestDatabase } from '../../support/database.ts';
import { silentLog } from '../../support/log.ts';
import { createPlainOwner, dropPlainOwner } from '../../support/plain-owner.ts';
import { uuidTime } from '../../support/uuid-time.ts';

const made: string[] = [];
let url: string;

// Roles belong to the whole server: wait until no other test file is making them.
beforeAll(async () => {
  await (await createTestDatabase(inject('postgresUrl'))).close();
});
afterAll(async () => {
  for (const name of made) await dropDatabase(inject('postgresUrl'), name);
});

describe('migrating', () => {
  /** An empty database, on a server where the roles exist already. */
  beforeEach(async () => {
    const name = `pingr_migrate_${randomBytes(6).toString('hex')}`;
    await asSuperuser(`create database ${name}`);
    made.push(name);
    url = new URL(`/${name}`, inject('postgresUrl')).href;
  });

  it('applies everything in order and says so, and does nothing the second time', async () => {
    const told: string[] = [];
    const applied = await migrate({ url, onApplied: (name) => told.push(name) });
    expect(applied.length).toBeGreaterThan(0);
    expect(applied).toEqual([...applied].sort());
    expect(told).toEqual(applied);
    await expect(migrate({ url })).resolves.toEqual([]);
  });

  it('runs once when several processes start together', async () => {
    const runs = await Promise.all([migrate({ url }), migrate({ url }), migrate({ url })]);
    expect(runs.map((applied) => applied.length > 0).filter(Boolean)).toHaveLength(1);
  });

  it('rolls a failing migration back whole, keeps those before it, and goes on from there', async () => {
    const folder = await copyOfMigrations();
    try {
      const all = await migrate({ url });
      await writeFile(`${folder}/29990101000000_good.sql`, 'create table good (id int);');
      await writeFile(`${folder}/29990101000100_bad.sql`, 'create table bad (id int); select 1/0;');
      await writeFile(`${folder}/29990101000200_after.sql`, 'create table after (id int);');
      await expect(migrate({ url, folder })).rejects.toMatchObject({
        message: 'migration 29990101000100_bad.sql failed',
        cause: { message: 'division by zero' },
      });
      expect(await query(`select to_regclass('good') as good, to_regclass('bad') as bad`)).toEqual([
        { good: 'good', bad: null },
      ]);
      await writeFile(`${folder}/29990101000100_bad.sql`, 'create table bad (id int);');
      await expect(migrate({ url, folder })).resolves.toEqual([
        '29990101000100_bad.sql',
        '29990101000200_after.sql',
      ]);
      expect(await query('select count(*)::int as n from supabase_migrations.schema_migrations')).toEqual([
        { n: all.length + 3 },
      ]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('knows what is pending before and after', async () => {
    await migrate({ url });
    const ledger = (text: string) => query<{ version: string }>(text);
    await expect(pendingMigrations(ledger)).resolves.toEqual([]);
    await query(`delete from supabase_migrations.schema_migrations where name = 'announce'`);
    await expect(pendingMigrations(ledger)).resolves.toEqual([expect.stringMatching(/_announce\.sql$/)]);
  });

  it('needs no superuser, only an owner who may grant the roles, as on a hosted Postgres', async () => {
    const name = new URL(url).pathname.slice(1);
    await createPlainOwner(asSuperuser, name);
    await asSuperuser(`alter database ${name} owner to ${name}`);
    const hosted = new URL(url);
    hosted.username = name;
    hosted.password = 'x';
    try {
      const applied = await migrate({ url: hosted.href });
      expect(applied.length).toBeGreaterThan(0);
      await query(`insert into accounts (id, name) values (gen_random_uuid(), 'x')`);
      const pool = createPool({ url: hosted.href, max: 1, name: 'hosted', log: silentLog });
      await expect(pool.query('select * from accounts')).rejects.toThrow(/permission denied/);
      const seen = await createDatabase(pool).systemOnce((tx) => tx.query('select name from accounts'));
      expect(seen).toEqual([{ name: 'x' }]);
      await pool.end();
    } finally {
      await dropDatabase(inject('postgresUrl'), name);
      made.splice(made.indexOf(name), 1);
      await dropPlainOwner(asSuperuser, name);
    }
  });
});

describe('partitions', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await createTestDatabase(inject('postgresUrl'));
  });
  afterAll(() => db.close());

  const partitions = async () =>
    (await db.owner.query(`select relname from pg_class where relispartition and relkind = 'r' order by 1`))
      .rows;

  it.each(['messages', 'events'])('of %s exist for now and the next four weeks', async (table) => {
    for (const days of [0, 7, 14, 21, 28]) {
      const { rows } = await db.owner.query<{ name: string | null }>(
        `select to_regclass($1 || to_char(date_trunc('week', (now() + make_interval(days => $2)) at time zone 'UTC'),
           '"_"YYYY"_"MM"_"DD'))::text as name`,
        [table, days],
      );
      expect(rows[0]?.name, `in ${days} days`).not.toBeNull();
    }
  });

  it('take a row of now, and the default takes one that no week was made for', async () => {
    const partitionOf = async (id: string) => {
      const { rows } = await db.owner.query<{ name: string }>(
        `insert into events (id, account_id, mode, type, data, created_at)
         values ($1, $1, 'test', 'x', '{}', now()) returning tableoid::regclass::text as name`,
        [id],
      );
      return rows[0]?.name;
    };
    expect(await partitionOf(newUuid())).toMatch(/^events_\d{4}_\d\d_\d\d$/);
    expect(await partitionOf(uuidAt(Date.UTC(2099, 0, 1)))).toBe('events_default');
  });

  it('are made once, however often they are asked for', async () => {
    const before = await partitions();
    await db.owner.query(`call app.make_partitions('messages', current_date - 7, current_date + 28)`);
    expect(await partitions()).toEqual(before);
    await db.owner.query(`call app.make_partitions('messages', current_date, current_date + 35)`);
    expect(await partitions()).toHaveLength(before.length + 1);
  });

  it('are bounded by uuids that sort between the milliseconds, as UUIDv7 do', async () => {
    const instants = fc.array(
      fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true }),
      {
        minLength: 1,
        maxLength: 50,
      },
    );
    await fc.assert(
      fc.asyncProperty(instants, async (dates) => {
        const { rows } = await db.owner.query<{ floor: string }>(
          'select app.uuid_floor(at) as floor from unnest($1::timestamptz[]) with ordinality as i (at, n) order by n',
          [dates],
        );
        for (const [i, at] of dates.entries()) {
          const floor = rows[i]?.floor ?? '';
          expect(uuidTime(floor)).toBe(at.getTime());
          expect(uuidAt(at.getTime()) >= floor).toBe(true);
          expect(at.getTime() === 0 || uuidAt(at.getTime() - 1) < floor).toBe(true);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('have a lower bound for instants that no UUIDv7 can name', async () => {
    const { rows } = await db.owner.query(`select app.uuid_floor('1900-01-01') as floor`);
    expect(rows).toEqual([{ floor: '00000000-0000-0000-0000-000000000000' }]);
  });
});

/** A UUIDv7 of the instant. */
function uuidAt(ms: number): string {
  const { bytes } = UUID.parse(newUuid());
  return UUID.fromFieldsV7(ms, ((bytes[6] ?? 0) & 15) << 8, 0, bytes[15] ?? 0).toString();
}

async function copyOfMigrations(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'pingr-migrations-'));
  await cp(MIGRATIONS, folder, { recursive: true });
  return folder;
}

async function query<Row extends object>(text: string, at = url): Promise<Row[]> {
  const client = new pg.Client({ connectionString: at });
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

async function asSuperuser(text: string): Promise<void> {
  await query(text, inject('postgresUrl'));
}
