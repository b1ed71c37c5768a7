import pg from 'pg';
import type { Log } from '../log/log.ts';

export interface PoolOptions {
  url: string;
  /** Most connections at once. */
  max: number;
  /** Shown in `pg_stat_activity`. */
  name: string;
  /**
   * Whom connections start as. `app` (the default) has no rights of its own: a query outside an account or system
   * scope is refused by Postgres. `system` is the system scope itself, which then needs no transaction around it.
   */
  scope?: 'app' | 'system';
  log: Log;
}

const ROLES = { app: 'pingr_app', system: 'service_role' };

/** A pool of pipelined connections, so that a scope and its first statement share one round trip. */
export function createPool({ url, max, name, scope = 'app', log }: PoolOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max,
    application_name: name,
    pipeline: true,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 30_000,
    options: `-c role=${ROLES[scope]} -c jit=off -c statement_timeout=15000 -c idle_in_transaction_session_timeout=30000`,
  });
  // A connection that ends while in use fails its statement; its `error` event is no second news, but unheard it
  // would end the process.
  pool.on('connect', (client) => client.on('error', () => undefined));
  // An idle connection that the server closes must not end the process; the next query opens another.
  pool.on('error', (error) => log.warn({ err: error }, 'idle database connection lost'));
  return pool;
}
