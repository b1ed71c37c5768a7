import pg from 'pg';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../log/log.ts';

export interface NoticesOptions {
  /** A session-mode connection: LISTEN does not work through a transaction pooler. */
  url: string;
  clock: Clock;
  log: Log;
}

/** Hears Postgres notifications. A notice is a hint: after a lost connection listeners are told to look for themselves. */
export interface Notices {
  /** Calls back for every notice on the channel, and with `undefined` after a reconnection. Rejects while unreachable. */
  listen(channel: string, onNotice: (payload: string | undefined) => void): Promise<void>;
  close(): Promise<void>;
}

type Listener = (payload: string | undefined) => void;

const REOPEN_AFTER_MS = 500;

/** One connection that listens, opened at the first `listen` and reopened for as long as the process lives. */
export function createNotices({ url, clock, log }: NoticesOptions): Notices {
  const listeners = new Map<string, Set<Listener>>();
  const stop = new AbortController();
  /** The connection or the one attempt to make it, which everybody shares. */
  let connection: Promise<pg.Client> | undefined;

  function open(): Promise<pg.Client> {
    connection ??= connect().catch((error: unknown) => {
      connection = undefined;
      throw error;
    });
    return connection;
  }

  async function connect(): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: url,
      application_name: 'pingr-notices',
      pipeline: true,
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
    });
    client.on('notification', ({ channel, payload }) => tell(channel, payload));
    client.on('error', () => undefined);
    try {
      await client.connect();
      for (const channel of listeners.keys()) await client.query(`listen ${pg.escapeIdentifier(channel)}`);
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    // Only from here on: a failed attempt ends too, and must not start a second loop of attempts.
    client.once('end', () => void reopen());
    return client;
  }

  async function reopen(): Promise<void> {
    connection = undefined;
    while (!stop.signal.aborted) {
      try {
        await clock.sleep(REOPEN_AFTER_MS, stop.signal);
        await open();
        for (const channel of listeners.keys()) tell(channel, undefined);
        return;
      } catch (error) {
        if (!stop.signal.aborted) log.warn({ err: error }, 'notices: database not reachable, trying again');
      }
    }
  }

  function tell(channel: string, payload: string | undefined): void {
    for (const onNotice of listeners.get(channel) ?? []) onNotice(payload);
  }

  return {
    async listen(channel, onNotice) {
      const group = listeners.get(channel) ?? new Set();
      listeners.set(channel, group.add(onNotice));
      try {
        // Said again where `connect` said it already, which does no harm.
        await (await open()).query(`listen ${pg.escapeIdentifier(channel)}`);
      } catch (error) {
        group.delete(onNotice);
        throw error;
      }
    },
    async close() {
      stop.abort();
      const client = await connection?.catch(() => undefined);
      await client?.end();
    },
  };
}
