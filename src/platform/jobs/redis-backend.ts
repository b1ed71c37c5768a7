import { createRedisBackend } from 'bullmq';
import type { Log } from '../log/log.ts';
import { connectRedis } from '../redis/redis.ts';
import { openBullQueue, openBullWorker, type QueueBackend } from './backend.ts';

export interface RedisJobs {
  kind: 'redis';
  /** A server with `maxmemory-policy noeviction`: others may drop jobs. */
  url: string;
  /** Start of every key, so that several installations can share a server. */
  prefix: string;
}

/** BullMQ on Redis: one connection for adding jobs, one for finishing them, and one more a worker to wait on. */
export async function openRedisBackend({ url, prefix }: RedisJobs, log: Log): Promise<QueueBackend> {
  const producing = await connectRedis({ url, name: 'pingr-jobs-add', whileDown: 'fail', log });
  const working = await connectRedis({ url, name: 'pingr-jobs-work', whileDown: 'wait', log });
  const connection = (redis: typeof producing) => ({
    factory: createRedisBackend,
    options: { connection: redis, prefix },
  });
  return {
    openQueue: (name, onError) => openBullQueue(connection(producing), name, onError),
    openWorker: (name, process, settings) => openBullWorker(connection(working), name, process, settings),
    ping: async () => {
      await producing.ping();
    },
    close: async () => {
      producing.disconnect();
      working.disconnect();
    },
  };
}
