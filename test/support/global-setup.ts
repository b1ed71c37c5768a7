import { execFileSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import pino from 'pino';
import type { TestProject } from 'vitest/node';
import { startEmbeddedPostgres } from '../../src/platform/embedded-postgres/embedded-postgres.ts';
import { cleanUpAfterKill } from './clean-up-after-kill.ts';
import { startRedisServer } from './redis-server.ts';
import { makeScratchDir } from './scratch.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Superuser's connection string of the run's Postgres. Every test file makes a database of its own in it. */
    postgresUrl: string;
    /** Which backend the queues run on: `postgres` (default) or, with QUEUE=redis, `redis`. */
    queue: 'postgres' | 'redis';
    /** The run's Redis; empty on the Postgres queue. */
    redisUrl: string;
  }
}

/**
 * Starts what every test shares: one Postgres, and one Redis where QUEUE=redis. TEST_DATABASE_URL and
 * TEST_REDIS_URL (or REDIS_URL) name running ones instead. Tests read them with `inject('postgresUrl')` and so on.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  // Once, for all end-to-end tests: they start what users start.
  execFileSync(process.execPath, ['scripts/build-if-stale.mjs']);
  const stops: (() => Promise<void>)[] = [];
  const postgresUrl = process.env['TEST_DATABASE_URL'] ?? (await startPostgres(stops));
  process.env['TEST_DATABASE_URL'] = postgresUrl;
  project.provide('postgresUrl', postgresUrl);

  const queue = process.env['QUEUE'] === 'redis' ? 'redis' : 'postgres';
  project.provide('queue', queue);
  project.provide('redisUrl', queue === 'redis' ? await redisUrl(stops) : '');
  return async () => {
    for (const stop of stops.reverse()) await stop();
  };
}

async function startPostgres(stops: (() => Promise<void>)[]): Promise<string> {
  const dataDir = await makeScratchDir('pingr-test-postgres-');
  const server = await startEmbeddedPostgres({ dataDir, durable: false, log: pino({ level: 'warn' }) });
  cleanUpAfterKill(path.join(dataDir, 'cluster', 'postmaster.pid'), dataDir);
  stops.push(async () => {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  });
  return server.url;
}

async function redisUrl(stops: (() => Promise<void>)[]): Promise<string> {
  const given = process.env['TEST_REDIS_URL'] ?? process.env['REDIS_URL'];
  if (given !== undefined) return given;
  const redis = await startRedisServer();
  stops.push(() => redis.stop());
  return redis.url;
}
