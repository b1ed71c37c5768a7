import { Redis } from 'ioredis';
import type { Log } from '../log/log.ts';

export interface RedisOptions {
  /** `redis://` or `rediss://`, with user, password and database where needed. */
  url: string;
  /** Shown in `CLIENT LIST`. */
  name: string;
  /**
   * `fail`: a command is refused at once while the server cannot be reached (requests, which have better things to
   * do). `wait`: it waits until the server is back (workers).
   */
  whileDown: 'fail' | 'wait';
  log: Log;
}

const LONGEST_PAUSE_MS = 2_000;

/**
 * Connects to Redis. A lost connection comes back by itself, after pauses that grow to two seconds, with jitter.
 * @throws Error when the first try fails
 */
export async function connectRedis({ url, name, whileDown, log }: RedisOptions): Promise<Redis> {
  const redis = new Redis(url, {
    connectionName: name,
    lazyConnect: true,
    connectTimeout: 5_000,
    keepAlive: 10_000,
    maxRetriesPerRequest: whileDown === 'wait' ? null : 1,
    enableOfflineQueue: whileDown === 'wait',
    retryStrategy: (attempt) => Math.min(50 * 2 ** attempt, LONGEST_PAUSE_MS) * (0.5 + Math.random() / 2),
  });
  redis.on('error', (err: Error) => log.warn({ err, connection: name }, 'redis connection failed'));
  try {
    await redis.connect();
  } catch (error) {
    redis.disconnect();
    throw error;
  }
  return redis;
}
