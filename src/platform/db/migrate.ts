import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';

/** The folder that ships with the program. */
export const MIGRATIONS = fileURLToPath(new URL('../../../migrations/', import.meta.url));

/** Any number will do, as long as nothing else on the server uses it. */
const ADVISORY_LOCK = 0x70696e67;

export interface MigrateOptions {
  /** Must own the schema (`postgres` on Supabase). */
  url: string;
  folder?: string;
  onApplied?: (name: string) => void;
}

/**
 * Applies the migrations that the database has not seen, in order, each in its own transaction, under an advisory
 * lock. Keeps the ledger that the Supabase CLI keeps, so either may run next.
 * @returns the names applied now.
 */
export async function migrate({ url, folder = MIGRATIONS, onApplied }: MigrateOptions): Promise<string[]> {
  const client = new pg.Client({ connectionString: url, application_name: 'pingr-migrate' });
  await client.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [ADVISORY_LOCK]);
    await client.query(await readFile(`${folder}/bootstrap/supabase_roles.sql`, 'utf8'));
    await client.query(LEDGER);
    const pending = await pendingMigrations(async (text) => (await client.query(text)).rows, folder);
    for (const name of pending) {
      await apply(client, folder, name);
      onApplied?.(name);
    }
    return pending;
  } finally {
    await client.end();
  }
}

/** Migrations in the folder that the database has not seen; empty when it is up to date. */
export async function pendingMigrations(
  query: (text: string) => Promise<{ version: string }[]>,
  folder = MIGRATIONS,
): Promise<string[]> {
  const files = (await readdir(folder)).filter((file) => /^\d{14}_\w+\.sql$/.test(file)).sort();
  const rows = await query('select version from supabase_migrations.schema_migrations');
  const applied = new Set(rows.map((row) => row.version));
  return files.filter((file) => !applied.has(file.slice(0, 14)));
}

const LEDGER = `
  create schema if not exists supabase_migrations;
  create table if not exists supabase_migrations.schema_migrations (
    version text primary key, statements text[], name text
  );
  grant usage on schema supabase_migrations to public;
  grant select on supabase_migrations.schema_migrations to public;`;

async function apply(client: pg.Client, folder: string, file: string): Promise<void> {
  const sql = await readFile(`${folder}/${file}`, 'utf8');
  await client.query('begin');
  try {
    await client.query(sql);
    await client.query(
      'insert into supabase_migrations.schema_migrations (version, name, statements) values ($1, $2, $3)',
      [file.slice(0, 14), file.slice(15, -4), [sql]],
    );
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw new Error(`migration ${file} failed`, { cause: error });
  }
}
