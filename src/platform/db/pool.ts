import pg from 'pg';
import type { Log } from '../log/log.ts';

export interface PoolOptions {
  url: string;
  /** Most connections at once. */
  max: number;
  /** Shown in `pg_stat_activity`. */
  name: string;
  log: Log;
}

/**
 * A pool whose connections start as `pingr_app`, a role without rights of its own: a query outside an account or
 * system scope is refused by Postgres. Pipelined, so that a scope and its first statement share one round trip.
 */
export function createPool({ url, max, name, log }: PoolOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max,
    application_name: name,
    pipeline: true,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 30_000,
    options: '-c role=pingr_app -c statement_timeout=15000 -c idle_in_transaction_session_timeout=30000',
  });
  // A connection that ends while in use fails its statement; its `error` event is no second news, but unheard it
  // would end the process.
  pool.on('connect', (client) => client.on('error', () => undefined));
  // An idle connection that the server closes must not end the process; the next query opens another.
  pool.on('error', (error) => log.warn({ err: error }, 'idle database connection lost'));
  return pool;
}
