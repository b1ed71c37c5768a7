import { LRUCache } from 'lru-cache';
import type { Clock } from '../../lib/clock.ts';
import type { RateLimitStore } from './stores.ts';

/** What may still be done under a key of the counter in this window. */
export interface Quota {
  allowed: boolean;
  /** Points per window. */
  limit: number;
  /** Points left, as far as this process knows. */
  remaining: number;
  /** Milliseconds until the window ends and the limit is full again. */
  resetMs: number;
}

export interface RateLimiter {
  readonly windowMs: number;
  /** Takes `cost` points of the key's limit for the current window, or none where too few are left. */
  take(key: string, limit: number, cost: number): Promise<Quota>;
}

export interface RateLimiterOptions {
  store: RateLimitStore;
  clock: Clock;
  windowMs: number;
}

/** Share of a limit that a process reserves in one round trip. */
const CHUNK_SHARE = 0.05;
const MAX_KEYS = 50_000;

/** One key's state in this process. */
interface Bucket {
  endsAt: number;
  /** Points reserved in the store and not used yet. */
  reserved: number;
  /** Points that the store had left after the last reservation. */
  unreserved: number;
  reserving: Promise<void> | undefined;
}

/**
 * Counts in fixed windows that start with a key's first request, shared by all processes through the store. A process
 * reserves points in chunks of 5 % of the limit and counts those down in memory, so that most requests cost no round
 * trip.
 *
 * Bound: no more than the limit is granted in a window, over all processes. A key whose requests spread over P
 * processes may be refused up to (P - 1) chunks early, since a process may hold points that it does not use. Two
 * windows that touch allow twice the limit in a short time. While the store is down each process counts alone.
 */
export function createRateLimiter({ store, clock, windowMs }: RateLimiterOptions): RateLimiter {
  const buckets = new LRUCache<string, Bucket>({ max: MAX_KEYS });

  async function reserve(key: string, bucket: Bucket, limit: number, cost: number): Promise<void> {
    const wanted = Math.max(cost - bucket.reserved, Math.ceil(limit * CHUNK_SHARE));
    try {
      const { used, resetMs } = await store.add(key, wanted, windowMs);
      bucket.reserved += Math.max(0, wanted - Math.max(0, used - limit));
      bucket.unreserved = Math.max(0, limit - used);
      bucket.endsAt = clock.now().getTime() + resetMs;
    } finally {
      bucket.reserving = undefined;
    }
  }

  function bucketOf(key: string): Bucket {
    const found = buckets.get(key);
    if (found && (found.reserving !== undefined || clock.now().getTime() < found.endsAt)) return found;
    const fresh = { endsAt: 0, reserved: 0, unreserved: 1, reserving: undefined };
    buckets.set(key, fresh);
    return fresh;
  }

  return {
    windowMs,
    async take(key, limit, cost) {
      let bucket = bucketOf(key);
      while (bucket.reserved < cost && bucket.unreserved > 0) {
        bucket.reserving ??= reserve(key, bucket, limit, cost);
        await bucket.reserving;
        bucket = bucketOf(key);
      }
      const allowed = bucket.reserved >= cost;
      if (allowed) bucket.reserved -= cost;
      return {
        allowed,
        limit,
        remaining: bucket.reserved + bucket.unreserved,
        resetMs: Math.max(0, bucket.endsAt - clock.now().getTime()),
      };
    },
  };
}
