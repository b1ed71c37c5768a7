import { setTimeout as sleep } from 'node:timers/promises';
import { vi } from 'vitest';
import { PATIENCE_MS } from './patience.ts';

/** Tries until nothing is thrown, and returns the result. @throws what the last try threw. */
export const untilItWorks = <T>(work: () => Promise<T> | T): Promise<T> =>
  vi.waitFor(work, { timeout: PATIENCE_MS });

/** Asks until the answer is right, and returns it. @throws Error with the last answer when it never was. */
export async function eventually<T>(
  ask: () => Promise<T> | T,
  isRight: (answer: T) => boolean,
  withinMs = PATIENCE_MS,
): Promise<T> {
  const deadline = Date.now() + withinMs;
  // Soon at first, then seldom: what is asked costs the machine that everything else waits for.
  for (let pauseMs = 20; ; pauseMs = Math.min(pauseMs * 1.3, 400)) {
    const answer = await ask();
    if (isRight(answer)) return answer;
    if (Date.now() > deadline)
      throw new Error(`not within ${withinMs} ms; last: ${JSON.stringify(answer)?.slice(0, 2000)}`);
    await sleep(pauseMs);
  }
}
