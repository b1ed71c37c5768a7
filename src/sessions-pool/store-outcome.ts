import type { LaneHold, LaneMessages } from '../features/messages/lane.service.ts';
import { backoffDelay } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import type { Outcome } from './send-outcome.ts';

interface Parts {
  messages: LaneMessages;
  clock: Clock;
  random: () => number;
}

/**
 * Writes what became of a message, trying for as long as the lane lives: the message stays in flight meanwhile, so
 * that a database that is away for a while does not make a sent message go out again.
 */
export async function storeOutcome(
  { messages, clock, random }: Parts,
  lane: { hold: LaneHold; signal: AbortSignal },
  outcome: Outcome,
): Promise<void> {
  const { sessionId, epoch } = lane.hold;
  for (let attempt = 1; ; attempt++) {
    try {
      return await messages.progress.write({ kind: 'outcome', sessionId, epoch, ...outcome });
    } catch (error) {
      if (lane.signal.aborted) throw error;
      await clock.sleep(backoffDelay(attempt, { baseMs: 200, maxMs: 5_000 }, random), lane.signal);
    }
  }
}
