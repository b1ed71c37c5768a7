import { backoffDelay } from '../../lib/backoff.ts';
import { createBatchWriter } from '../../lib/batch-writer.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Database } from '../../platform/db/database.ts';
import type { Log } from '../../platform/log/log.ts';
import { completeDeliveries, type Outcome } from './complete.system.ts';
import { isPassing } from './passing-trouble.ts';

/** What the lane learns when its outcome is written. */
export interface Written {
  /** Whether the lane is still the worker's; where not, the outcome changed nothing but the record of the attempt. */
  held: boolean;
  /** For how many milliseconds attempts have failed in a row; null where one succeeded, or none was made. */
  failingMs: number | null;
}

/** Writes what became of deliveries, batched over all lanes of the process. */
export interface OutcomeWriter {
  /**
   * Resolves once written. Outcomes are kept while the database is away and written when it is back. Rejects where
   * this one cannot be written, or after `giveUp`.
   */
  write(outcome: Outcome): Promise<Written>;
  /** The process ends: what the database does not take now is left to the next owner of the lane. */
  giveUp(): void;
}

const BATCH = 250;
/** So that answers that come together are written together; nobody waits for it. */
const GATHER_MS = 3;
const RETRY = { baseMs: 100, maxMs: 2_000 };

interface OutcomeParts {
  database: Pick<Database, 'systemOnce'>;
  owner: string;
  clock: Clock;
  random: () => number;
  log: Log;
}

export function createOutcomeWriter(parts: OutcomeParts): OutcomeWriter {
  const stop = new AbortController();
  const writer = createBatchWriter<Outcome, Written>({
    maxSize: BATCH,
    gatherMs: GATHER_MS,
    writeBatch: (outcomes) => writePatiently(parts, outcomes, stop.signal),
    isFaultOfItems: (error) => !isPassing(error),
  });
  return {
    write: (outcome) => writer.write(outcome),
    giveUp: () => stop.abort(),
  };
}

async function writePatiently(
  { database, owner, clock, random, log }: OutcomeParts,
  outcomes: readonly Outcome[],
  stop: AbortSignal,
): Promise<Written[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      const rows = await database.systemOnce((tx) => completeDeliveries(tx, owner, outcomes));
      const held = new Map(rows.map((row) => [`${row.endpoint_id}/${row.epoch}`, row.failing_ms]));
      return outcomes.map(({ endpointId, epoch }) => {
        const failingMs = held.get(`${endpointId}/${epoch}`);
        return failingMs === undefined ? { held: false, failingMs: null } : { held: true, failingMs };
      });
    } catch (error) {
      if (!isPassing(error) || stop.aborted) throw error;
      log.warn({ err: error, outcomes: outcomes.length }, 'webhooks: outcomes not written, trying again');
      await clock.sleep(backoffDelay(attempt, RETRY, random), stop).catch(() => undefined);
    }
  }
}
