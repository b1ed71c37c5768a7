const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Pauses after the first failed try, the second, and so on: eleven tries over about 28 hours. */
export const RETRY_DELAYS_MS: readonly number[] = [
  5 * SECOND,
  30 * SECOND,
  2 * MINUTE,
  10 * MINUTE,
  30 * MINUTE,
  HOUR,
  2 * HOUR,
  4 * HOUR,
  8 * HOUR,
  12 * HOUR,
];

/** Longest rest that a receiver can ask for. */
const MAX_REST_MS = 12 * HOUR;
/** Part of a pause by which it may be shorter or longer, so that what failed together does not return together. */
const JITTER = 0.1;

/**
 * Pause before the next try, in milliseconds.
 * @param failed tries that have failed since the schedule began, at least 1
 * @param random in [0, 1)
 * @returns `undefined` where no try is left
 */
export function retryDelay(
  failed: number,
  schedule: readonly number[],
  random: () => number,
): number | undefined {
  const delay = schedule[failed - 1];
  return delay === undefined ? undefined : Math.round(delay * (1 - JITTER + 2 * JITTER * random()));
}

/**
 * How long a receiver wants to be left alone, in milliseconds, by its `Retry-After` header (RFC 9110 §10.2.3: seconds
 * or a date), 12 hours at most.
 * @returns `undefined` where the header is missing or means nothing
 */
export function restAskedFor(header: string | undefined, now: Date): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d+$/.test(text)) return Math.min(Number(text) * SECOND, MAX_REST_MS);
  // Every form of date in HTTP begins with the name of a day; `Date.parse` alone takes much that is none.
  const at = /^(mon|tue|wed|thu|fri|sat|sun)/i.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at)) return undefined;
  return Math.min(Math.max(0, at - now.getTime()), MAX_REST_MS);
}
