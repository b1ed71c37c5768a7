import { LRUCache } from 'lru-cache';
import type { Clock } from '../../lib/clock.ts';

/** Refused uses from one address within {@link WINDOW_MS} that make it suspicious. */
const MOST_REFUSALS = 20;
const WINDOW_MS = 10 * 60_000;
/** How long an address stays suspicious after its last refusal. */
const SUSPECT_MS = 60 * 60_000;
const MOST_ADDRESSES = 20_000;

/** Addresses from which many keys fail, as this process sees them. */
export interface SuspectAddresses {
  /** Counts a refused use. @returns true where it made the address suspicious */
  refused(ip: string): boolean;
  /** How many uses were refused where the address is suspicious; `undefined` where it is not. */
  refusalsOf(ip: string): number | undefined;
}

export function createSuspectAddresses(clock: Clock): SuspectAddresses {
  const perf = { now: () => clock.now().getTime() };
  const counters = new LRUCache<string, { count: number }>({ max: MOST_ADDRESSES, ttl: WINDOW_MS, perf });
  const suspects = new LRUCache<string, number>({ max: MOST_ADDRESSES, ttl: SUSPECT_MS, perf });
  return {
    refused(ip) {
      const counter = counters.get(ip) ?? { count: 0 };
      counter.count++;
      // The window begins with the first refusal.
      if (counter.count === 1) counters.set(ip, counter);
      if (counter.count < MOST_REFUSALS) return false;
      const isNew = !suspects.has(ip);
      suspects.set(ip, counter.count);
      return isNew;
    },
    refusalsOf: (ip) => (suspects.size === 0 ? undefined : suspects.get(ip)),
  };
}
