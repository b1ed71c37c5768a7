import type { LaneHold, LaneMessages } from '../features/messages/lane.service.ts';
import { backoffDelay } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../platform/log/log.ts';
import type { Outcome } from './send-outcome.ts';

interface Parts {
  messages: LaneMessages;
  clock: Clock;
  random: () => number;
  log: Log;
  hold: LaneHold;
  signal: AbortSignal;
}

/**
 * Writes what became of a message, trying for as long as the lane lives: the message stays in flight meanwhile, so
 * that a database that is away for a while does not make a sent message go out again.
 */
export async function storeOutcome(
  { messages, clock, random, log, hold, signal }: Parts,
  outcome: Outcome,
): Promise<void> {
  const { sessionId, epoch } = hold;
  for (let attempt = 1; ; attempt++) {
    try {
      return await messages.progress.write({ kind: 'outcome', sessionId, epoch, ...outcome });
    } catch (error) {
      if (signal.aborted) throw error;
      log.warn({ err: error, session: sessionId, message: outcome.id }, 'outcome not stored, trying again');
      await clock.sleep(backoffDelay(attempt, { baseMs: 200, maxMs: 5_000 }, random), signal);
    }
  }
}
