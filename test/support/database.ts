import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import pg from 'pg';
import { newUuid } from '../../src/lib/ids.ts';
import type { Mode } from '../../src/lib/mode.ts';
import { createVault, type Vault } from '../../src/platform/crypto/vault.ts';
import { createDatabase, type Database } from '../../src/platform/db/database.ts';
import { MIGRATIONS, migrate } from '../../src/platform/db/migrate.ts';
import { createPool } from '../../src/platform/db/pool.ts';
import { untilItWorks } from './eventually.ts';
import { silentLog } from './log.ts';
import { PATIENCE_MS } from './patience.ts';

export interface TestDatabase {
  /** The owner's connection string, as a deployment's DATABASE_URL. */
  url: string;
  database: Database;
  pool: pg.Pool;
  systemPool: pg.Pool;
  /** The owner, for looking behind the policies. */
  owner: pg.Pool;
  vault: Vault;
  close(): Promise<void>;
}

/** A database of its own for one test file, copied from a migrated template that the run shares. */
export async function createTestDatabase(serverUrl: string): Promise<TestDatabase> {
  const name = `pingr_test_${randomUUID().replaceAll('-', '')}`;
  await withAdmin(serverUrl, async (admin) => {
    await admin.query('select pg_advisory_lock(1)');
    const template = await migratedTemplate(admin, serverUrl);
    await onceFree(() => admin.query(`create database ${name} template ${template}`));
  });
  const url = withDatabase(serverUrl, name);
  const pool = createPool({ url, max: 4, name: 'test', log: silentLog });
  const systemPool = createPool({ url, max: 4, name: 'test', scope: 'system', log: silentLog });
  // A starved machine may take longer than a customer should wait.
  for (const { options } of [pool, systemPool]) options.connectionTimeoutMillis = PATIENCE_MS;
  const owner = new pg.Pool({
    connectionString: url,
    max: 2,
    // A test that runs out of time leaves the others neither without a connection nor behind its transaction.
    connectionTimeoutMillis: PATIENCE_MS,
    idle_in_transaction_session_timeout: 2 * PATIENCE_MS,
  });
  // Dropping the database ends what is still open.
  owner.on('error', () => undefined);
  const database = createDatabase(pool, systemPool);
  const vault = createVault({
    masterKey: randomBytes(32),
    loadWrappedKey: async (accountId) => {
      const { rows } = await owner.query('select wrapped_key from account_data_keys where account_id = $1', [
        accountId,
      ]);
      return rows[0]?.wrapped_key;
    },
  });
  return {
    url,
    database,
    pool,
    systemPool,
    owner,
    vault,
    async close() {
      await Promise.all([pool.end(), systemPool.end(), owner.end()]);
      await dropDatabase(serverUrl, name);
    },
  };
}

/** An account with a data key. */
export async function seedAccount({ owner, vault }: TestDatabase, name = 'Acme'): Promise<string> {
  const id = newUuid();
  await owner.query('insert into accounts (id, name) values ($1, $2)', [id, name]);
  await owner.query('insert into account_data_keys (account_id, wrapped_key) values ($1, $2)', [
    id,
    vault.newWrappedKey(id),
  ]);
  return id;
}

/** A session with its lease; `status` and `phone` as given. */
export async function seedSession(
  { owner }: TestDatabase,
  accountId: string,
  session: { mode?: Mode; status?: string; phone?: string | null } = {},
): Promise<string> {
  const id = newUuid();
  const { mode = 'test', status = 'connected', phone = '919876500000' } = session;
  await owner.query(
    'insert into sessions (id, account_id, mode, name, status, phone) values ($1, $2, $3, $4, $5, $6)',
    [id, accountId, mode, 'main', status, phone],
  );
  await owner.query('insert into session_leases (session_id, account_id, mode) values ($1, $2, $3)', [
    id,
    accountId,
    mode,
  ]);
  return id;
}

async function migratedTemplate(admin: pg.Client, serverUrl: string): Promise<string> {
  const files = (await readdir(MIGRATIONS, { recursive: true }))
    .filter((file) => file.endsWith('.sql'))
    .sort();
  const hash = createHash('sha256');
  for (const file of files) hash.update(await readFile(`${MIGRATIONS}/${file}`));
  const name = `pingr_template_${hash.digest('hex').slice(0, 16)}`;
  const { rowCount } = await admin.query('select from pg_database where datname = $1', [name]);
  if (rowCount === 0) {
    // What a run that failed here has left would fail every other file as well.
    await onceFree(() => admin.query(`drop database if exists ${name}_new with (force)`));
    await admin.query(`create database ${name}_new`);
    await migrate({ url: withDatabase(serverUrl, `${name}_new`) });
    await onceFree(() => admin.query(`alter database ${name}_new rename to ${name}`));
  }
  return name;
}

/** Drops a database with whatever is still open on it. */
export async function dropDatabase(serverUrl: string, name: string): Promise<void> {
  await withAdmin(serverUrl, (admin) =>
    onceFree(() => admin.query(`drop database if exists ${name} with (force)`)),
  );
}

/** Postgres waits five seconds for sessions of a database to end, and then refuses: they may need longer to do so. */
const onceFree = <T>(work: () => Promise<T>): Promise<T> => untilItWorks(work);

async function withAdmin<T>(serverUrl: string, work: (admin: pg.Client) => Promise<T>): Promise<T> {
  const admin = new pg.Client({ connectionString: serverUrl });
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.end();
  }
}

function withDatabase(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}
