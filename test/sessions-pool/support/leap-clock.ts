import type { Clock } from '../../../src/lib/clock.ts';

/** A clock whose waits take no time: each moves it on by what it would have lasted. */
export interface LeapClock extends Clock {
  /** Milliseconds since the clock started. */
  elapsed(): number;
}

export function createLeapClock(start = new Date('2026-11-21T09:00:00Z')): LeapClock {
  let ms = 0;
  return {
    now: () => new Date(start.getTime() + ms),
    elapsed: () => ms,
    sleep: async (duration, signal) => {
      await new Promise(setImmediate);
      signal?.throwIfAborted();
      ms += duration;
    },
  };
}
