import { EventEmitter } from 'node:events';
import type { PgPool, PgPoolClient, PgQueryResult } from 'bullmq';
import type pg from 'pg';

/**
 * What one BullMQ queue or worker sees as its pool: queries go to a pool that all share, and a connection to keep
 * (to listen on) comes from another pool, so that listeners never use up the connections for queries. Events are its
 * own: handlers of closed queues do not pile up on the shared pools.
 */
export class BullPool extends EventEmitter implements PgPool {
  /** Tells BullMQ that a dropped connection is noticed. */
  readonly options = { keepAlive: true };
  readonly #queries: pg.Pool;
  readonly #listeners: pg.Pool;

  constructor(queries: pg.Pool, listeners: pg.Pool) {
    super();
    this.#queries = queries;
    this.#listeners = listeners;
  }

  query<R>(text: string, params?: readonly unknown[]): Promise<PgQueryResult<R>> {
    return runQuery<R>(this.#queries, text, params);
  }

  async connect(): Promise<PgPoolClient> {
    return new BullClient(await this.#listeners.connect());
  }

  /** The pools belong to the backend, which ends them. */
  async end(): Promise<void> {}
}

/** A kept connection. */
class BullClient extends EventEmitter implements PgPoolClient {
  readonly #client: pg.PoolClient;
  readonly #onNotification = (notification: pg.Notification) => this.emit('notification', notification);
  readonly #onEnd = () => this.emit('end');
  readonly #onError = (error: Error) => {
    // Emitting without a listener would throw.
    if (this.listenerCount('error') > 0) this.emit('error', error);
  };

  constructor(client: pg.PoolClient) {
    super();
    this.#client = client;
    client.on('notification', this.#onNotification);
    client.on('error', this.#onError);
    client.on('end', this.#onEnd);
  }

  query<R>(text: string, params?: readonly unknown[]): Promise<PgQueryResult<R>> {
    return runQuery<R>(this.#client, text, params);
  }

  release(destroy?: boolean): void {
    this.#client.off('notification', this.#onNotification);
    this.#client.off('error', this.#onError);
    this.#client.off('end', this.#onEnd);
    this.#client.release(destroy);
  }
}

async function runQuery<R>(
  runner: pg.Pool | pg.PoolClient,
  text: string,
  params: readonly unknown[] | undefined,
): Promise<PgQueryResult<R>> {
  return runner.query<R & pg.QueryResultRow>(text, params ? [...params] : undefined);
}
