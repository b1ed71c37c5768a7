import { backoffDelay } from '../../lib/backoff.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../platform/log/log.ts';
import { LeaseLostError } from '../session-key-store.ts';

/** About half a minute in all: a database that restarts is back by then. */
const TRIES = 10;
const BETWEEN = { baseMs: 100, maxMs: 10_000 };

interface Parts {
  clock: Clock;
  log: Log;
  random: () => number;
  /** Aborted when the connection is over. */
  over: AbortSignal;
}

export type Committed = 'committed' | 'lease_lost' | 'not_stored' | 'over';

/**
 * Runs a handler until it resolves. Nothing is acknowledged to WhatsApp meanwhile; when it gives up, nothing ever is on
 * this connection, and WhatsApp delivers everything again on the next one.
 */
export async function untilCommitted(
  work: () => Promise<void>,
  { clock, log, random, over }: Parts,
): Promise<Committed> {
  for (let attempt = 1; !over.aborted; attempt++) {
    try {
      await work();
      return 'committed';
    } catch (error) {
      if (error instanceof LeaseLostError) return 'lease_lost';
      log.warn({ err: error, attempt }, 'what WhatsApp delivered was not stored');
      if (attempt === TRIES) return 'not_stored';
      await clock.sleep(backoffDelay(attempt, BETWEEN, random), over).catch(() => undefined);
    }
  }
  return 'over';
}
