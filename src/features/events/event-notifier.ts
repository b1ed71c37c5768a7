import type { Mode } from '../../lib/mode.ts';
import type { Database } from '../../platform/db/database.ts';
import type { Log } from '../../platform/log/log.ts';
import { announced } from './events.system.ts';

/** Least time between two notifications of a process, in milliseconds. */
const GAP_MS = 5;

/** Work that facts have caused and nobody does yet. */
export interface CausedWork {
  kind: 'webhooks' | 'triggers';
  /** UUID: of the endpoint for webhooks, of the account for triggers. */
  subject: string;
  accountId: string;
  mode: Mode;
}

/** Tells every process that accounts have new events. A hint: streams look for themselves each second as well. */
export interface EventNotifier {
  /** Call after the commit. Returns at once; accounts named within a few milliseconds share one statement. */
  notify(accountId: string): void;
  /** Sends a notice on a channel of Postgres in the same statement. A hint as well: it may be lost. */
  send(channel: string, payload: string): void;
  /** Resolves when what was asked so far has been sent or given up. */
  flush(): Promise<void>;
}

/**
 * Notifications take a lock of the whole database for the length of their commit, so they go in a transaction of
 * their own, which writes nothing, and few at a time.
 * @param onWork called with the work that waits for the accounts that have new events
 */
export function createEventNotifier(parts: {
  database: Pick<Database, 'systemOnce'>;
  log: Log;
  onWork: (work: CausedWork) => void;
}): EventNotifier {
  const { database, log, onWork } = parts;
  let accounts = new Set<string>();
  let notices = new Map<string, { channel: string; payload: string }>();
  let sending: Promise<void> | undefined;

  async function sendAll(): Promise<void> {
    while (accounts.size > 0 || notices.size > 0) {
      const batch = { accountIds: [...accounts], notices: [...notices.values()] };
      accounts = new Set();
      notices = new Map();
      try {
        for (const work of await database.systemOnce((tx) => announced(tx, batch))) onWork(work);
      } catch (error) {
        log.debug({ err: error }, 'new events not announced; they will be found');
      }
      await new Promise((resolve) => setTimeout(resolve, GAP_MS));
    }
  }

  function start(): void {
    // What one request asks for, the wake-up of its session and the news of its account, leaves together.
    sending ??= Promise.resolve()
      .then(sendAll)
      .finally(() => {
        sending = undefined;
      });
  }

  return {
    notify(accountId) {
      accounts.add(accountId);
      start();
    },
    send(channel, payload) {
      notices.set(`${channel} ${payload}`, { channel, payload });
      start();
    },
    async flush() {
      await sending;
    },
  };
}
