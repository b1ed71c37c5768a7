import { backoffDelay } from '../../lib/backoff.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../log/log.ts';

const RETRY = { baseMs: 500, maxMs: 15_000 };
/** Tries after the first; with the pauses between them about as long as a repeat is told that the first one runs. */
const RETRIES = 12;

interface SettleParts {
  clock: Clock;
  random: () => number;
  /** Aborts when the process shuts down: nothing is tried again. */
  closing: AbortSignal;
}

/** Resolves after the first try, and never rejects: the caller gets its answer, whatever becomes of the record. */
export type Settle = (log: Log, write: () => Promise<void>) => Promise<void>;

/** Writes what became of a request that is over. Where the database is away it goes on trying for two minutes. */
export function createSettle({ clock, random, closing }: SettleParts): Settle {
  async function tryAgain(log: Log, write: () => Promise<void>): Promise<void> {
    for (let attempt = 1; attempt <= RETRIES; attempt++) {
      try {
        await clock.sleep(backoffDelay(attempt, RETRY, random), closing);
        return await write();
      } catch (err) {
        if (closing.aborted) return;
        if (attempt === RETRIES) log.error({ err }, 'idempotency record given up');
      }
    }
  }

  return async (log, write) => {
    try {
      await write();
    } catch (err) {
      log.warn({ err }, 'idempotency record not written, trying again');
      void tryAgain(log, write);
    }
  };
}
