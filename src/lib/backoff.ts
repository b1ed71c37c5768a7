export interface Backoff {
  /** Upper bound of the first delay, in milliseconds. */
  baseMs: number;
  maxMs: number;
}

/**
 * Delay before try number `attempt` (1 is the first retry): exponential, with jitter over its upper half, so that
 * many who failed together do not return together.
 * @param random in [0, 1)
 */
export function backoffDelay(attempt: number, { baseMs, maxMs }: Backoff, random: () => number): number {
  const bound = Math.min(maxMs, baseMs * 2 ** Math.min(attempt - 1, 30));
  return Math.round(bound / 2 + (bound / 2) * random());
}
