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
export function createNotices(options: NoticesOptions): Notices {
  return new ListenConnection(options);
}

class ListenConnection implements Notices {
  readonly #options: NoticesOptions;
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #stop = new AbortController();
  /** The connection or the one attempt to make it, which everybody shares. */
  #connection: Promise<pg.Client> | undefined;

  constructor(options: NoticesOptions) {
    this.#options = options;
  }

  async listen(channel: string, onNotice: Listener): Promise<void> {
    const group = this.#listeners.get(channel) ?? new Set();
    this.#listeners.set(channel, group.add(onNotice));
    try {
      // Said again where `#connect` said it already, which does no harm.
      await listenOn(await this.#open(), [channel]);
    } catch (error) {
      group.delete(onNotice);
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#stop.abort();
    const client = await this.#connection?.catch(() => undefined);
    await client?.end();
  }

  #open(): Promise<pg.Client> {
    this.#connection ??= this.#connect().catch((error: unknown) => {
      this.#connection = undefined;
      throw error;
    });
    return this.#connection;
  }

  async #connect(): Promise<pg.Client> {
    const client = newClient(this.#options.url);
    client.on('notification', ({ channel, payload }) => this.#tell(channel, payload));
    client.on('error', () => undefined);
    try {
      await client.connect();
      await listenOn(client, this.#listeners.keys());
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    // Only from here on: a failed attempt ends too, and must not start a second loop of attempts.
    client.once('end', () => void this.#reopen());
    return client;
  }

  async #reopen(): Promise<void> {
    const { clock, log } = this.#options;
    this.#connection = undefined;
    while (!this.#stop.signal.aborted) {
      try {
        await clock.sleep(REOPEN_AFTER_MS, this.#stop.signal);
        await this.#open();
        for (const channel of this.#listeners.keys()) this.#tell(channel, undefined);
        return;
      } catch (error) {
        if (!this.#stop.signal.aborted)
          log.warn({ err: error }, 'notices: database not reachable, trying again');
      }
    }
  }

  #tell(channel: string, payload: string | undefined): void {
    for (const onNotice of this.#listeners.get(channel) ?? []) onNotice(payload);
  }
}

function newClient(url: string): pg.Client {
  return new pg.Client({
    connectionString: url,
    application_name: 'pingr-notices',
    pipeline: true,
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  });
}

async function listenOn(client: pg.Client, channels: Iterable<string>): Promise<void> {
  for (const channel of channels) await client.query(`listen ${pg.escapeIdentifier(channel)}`);
}
