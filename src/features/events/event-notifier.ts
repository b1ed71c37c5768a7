import type { Database } from '../../platform/db/database.ts';
import type { Log } from '../../platform/log/log.ts';
import { notifyAccounts } from './events.system.ts';

/** Least time between two notifications of a process, in milliseconds. */
const GAP_MS = 5;

/** Tells every process that accounts have new events. A hint: streams look for themselves each second as well. */
export interface EventNotifier {
  /** Call after the commit. Returns at once; accounts named within a few milliseconds share one statement. */
  notify(accountId: string): void;
  /** Resolves when what was asked so far has been sent or given up. */
  flush(): Promise<void>;
}

/**
 * Notifications take a lock of the whole database for the length of their commit, so they go in a transaction of
 * their own, which writes nothing, and few at a time.
 */
export function createEventNotifier({ database, log }: { database: Database; log: Log }): EventNotifier {
  let waiting = new Set<string>();
  let sending: Promise<void> | undefined;

  async function send(): Promise<void> {
    while (waiting.size > 0) {
      const accounts = [...waiting];
      waiting = new Set();
      try {
        await database.systemOnce((tx) => notifyAccounts(tx, accounts));
      } catch (error) {
        log.debug({ err: error }, 'new events not announced; streams will find them');
      }
      await new Promise((resolve) => setTimeout(resolve, GAP_MS));
    }
  }

  return {
    notify(accountId) {
      waiting.add(accountId);
      sending ??= send().finally(() => {
        sending = undefined;
      });
    },
    async flush() {
      await sending;
    },
  };
}
