import {
  type RateLimiterAbstract,
  RateLimiterMemory,
  RateLimiterPostgres,
  RateLimiterRedis,
} from 'rate-limiter-flexible';
import type { Clock } from '../../lib/clock.ts';
import type { createPool } from '../db/pool.ts';
import type { Log } from '../log/log.ts';
import type { connectRedis } from '../redis/redis.ts';

/** Counters that processes share. */
export interface RateLimitStore {
  /**
   * Adds points to a key's counter, which starts at zero for each window.
   * @returns the counter, these points included, and the milliseconds until its window ends
   */
  add(key: string, points: number, windowMs: number): Promise<{ used: number; resetMs: number }>;
}

/** What the counters are kept in: the store that the queue runs on. */
export type RateLimitBackend =
  | { kind: 'postgres'; pool: ReturnType<typeof createPool> }
  | { kind: 'redis'; redis: Awaited<ReturnType<typeof connectRedis>>; prefix: string };

/** Counters in Postgres (`app.rate_limits`) or Redis. */
export function createSharedStore(backend: RateLimitBackend): RateLimitStore {
  return storeOf((duration) =>
    backend.kind === 'redis'
      ? new RateLimiterRedis({
          storeClient: backend.redis,
          keyPrefix: `${backend.prefix}:rate`,
          rejectIfRedisNotReady: true,
          points: 1,
          duration,
        })
      : new RateLimiterPostgres({
          storeClient: backend.pool,
          storeType: 'pool',
          schemaName: 'app',
          tableName: 'rate_limits',
          tableCreated: true,
          keyPrefix: '',
          points: 1,
          duration,
        }),
  );
}

/** Counters of this process alone. */
export function createMemoryStore(): RateLimitStore {
  return storeOf((duration) => new RateLimiterMemory({ keyPrefix: '', points: 1, duration }));
}

/** The library fixes the window when a limiter is made; there are few different ones. */
function storeOf(make: (seconds: number) => RateLimiterAbstract): RateLimitStore {
  const limiters = new Map<number, RateLimiterAbstract>();
  return {
    async add(key, points, windowMs) {
      const seconds = Math.ceil(windowMs / 1000);
      const limiter = limiters.get(seconds) ?? make(seconds);
      limiters.set(seconds, limiter);
      const { consumedPoints, msBeforeNext } = await limiter.penalty(key, points);
      return { used: consumedPoints, resetMs: msBeforeNext };
    },
  };
}

export interface FallbackOptions {
  shared: RateLimitStore;
  clock: Clock;
  log: Log;
  /** Longest time for a round trip, in milliseconds. */
  timeoutMs?: number;
  /** How long the shared store is left alone after it failed, in milliseconds. */
  pauseMs?: number;
}

/** The shared store, and counters of this process alone for as long as it does not answer. */
export function withMemoryFallback(options: FallbackOptions): RateLimitStore {
  const { shared, clock, log, timeoutMs = 250, pauseMs = 2_000 } = options;
  const memory = createMemoryStore();
  let downUntil = 0;
  return {
    async add(key, points, windowMs) {
      if (clock.now().getTime() < downUntil) return memory.add(key, points, windowMs);
      try {
        const answer = await within(timeoutMs, shared.add(key, points, windowMs));
        if (downUntil > 0) log.info({}, 'rate limit store is back');
        downUntil = 0;
        return answer;
      } catch (error) {
        if (downUntil === 0) log.warn({ err: error }, 'rate limit store failed; each process counts alone');
        downUntil = clock.now().getTime() + pauseMs;
        return memory.add(key, points, windowMs);
      }
    },
  };
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
