import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase(inject('postgresUrl'));
});
afterAll(() => db.close());

/** Nobody's rows: registries of tables, and counters that only the rate limiter reaches. */
const NOT_OWNED = ['app.growing_tables', 'app.legal_tables', 'app.rate_limits'];

describe('every table', () => {
  it('forces row-level security', async () => {
    const { rows } = await db.owner.query(
      `select n.nspname || '.' || c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname in ('public', 'app') and c.relkind in ('r', 'p')
         and not (c.relrowsecurity and c.relforcerowsecurity) order by 1`,
    );
    expect(rows.map((row) => row.name)).toEqual(NOT_OWNED);
  });

  it('has a policy, unless it is a partition, which nobody may reach but through its parent', async () => {
    const { rows } = await db.owner.query(
      `select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition
         and not exists (select from pg_policy p where p.polrelid = c.oid)`,
    );
    expect(rows).toEqual([]);
  });

  it('gives nothing to anon, and no writing to authenticated', async () => {
    const { rows } = await db.owner.query(
      `select table_name, grantee, privilege_type from information_schema.role_table_grants
       where table_schema = 'public' and (grantee in ('anon', 'PUBLIC')
         or (grantee = 'authenticated' and privilege_type <> 'SELECT'))`,
    );
    expect(rows).toEqual([]);
  });

  it('grants nothing on partitions', async () => {
    const { rows } = await db.owner.query(
      `select c.relname, c.relacl::text from pg_class c where c.relispartition and c.relacl::text ~ '(pingr|service_role|authenticated)'`,
    );
    expect(rows).toEqual([]);
  });

  it('names its account, except the accounts, workers and people themselves', async () => {
    const { rows } = await db.owner.query(
      `select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition
         and not exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'account_id')
       order by 1`,
    );
    expect(rows.map((row) => row.name)).toEqual(['accounts', 'sign_ins', 'used_links', 'users', 'workers']);
  });
});
