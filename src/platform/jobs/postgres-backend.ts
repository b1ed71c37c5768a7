import { createPostgresBackend } from 'bullmq';
import pg from 'pg';
import type { Log } from '../log/log.ts';
import { openBullQueue, openBullWorker, type QueueBackend } from './backend.ts';
import { BullPool } from './bull-pool.ts';

export interface PostgresJobs {
  kind: 'postgres';
  /** A session connection: LISTEN does not work through a transaction pooler. */
  url: string;
  /** Database role to act as, where the login role is another. */
  role?: string | undefined;
  /** Most connections for adding and finishing jobs; each worker has one more to listen on. Default 10. */
  maxConnections?: number | undefined;
}

/**
 * BullMQ on Postgres, in schema `bullmq` (see `migrate-jobs.ts`).
 *
 * Jobs are committed without waiting for the disk (`synchronous_commit=off`): they are hints or are published from
 * the outbox, whose own commit flushes what came before it. A crash of the database can at most run a job twice.
 */
export async function openPostgresBackend(
  { url, role, maxConnections = 10 }: PostgresJobs,
  log: Log,
): Promise<QueueBackend> {
  const roleOption = role === undefined ? '' : ` -c role=${role}`;
  const config: pg.PoolConfig = {
    connectionString: url,
    // BullMQ's SQL names its tables without a schema.
    options: `-c search_path=bullmq -c synchronous_commit=off${roleOption}`,
    application_name: 'pingr-jobs',
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 30_000,
  };
  const queries = new pg.Pool({ ...config, max: maxConnections });
  // Each worker keeps a connection of its own to listen on; a limit would make the next worker wait for ever.
  const listeners = new pg.Pool({ ...config, max: Number.MAX_SAFE_INTEGER });
  for (const pool of [queries, listeners]) {
    pool.on('error', (err) => log.warn({ err }, 'idle queue connection lost'));
  }
  const end = async () => {
    await Promise.all([queries.end(), listeners.end()]);
  };
  const ping = async () => {
    await queries.query('select 1 from bullmq.meta limit 1');
  };
  await ping().catch(async (error: unknown) => {
    await end();
    throw error;
  });
  const connection = () => ({
    factory: createPostgresBackend,
    options: { connection: new BullPool(queries, listeners) },
  });
  return {
    openQueue: (name, onError) => openBullQueue(connection(), name, onError),
    openWorker: (name, process, settings) => openBullWorker(connection(), name, process, settings),
    ping,
    close: end,
  };
}
