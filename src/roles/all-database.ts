import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { migrate } from '../platform/db/migrate.ts';
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
} from '../platform/embedded-postgres/embedded-postgres.ts';
import { migrateJobs } from '../platform/jobs/migrate-jobs.ts';
import type { Log } from '../platform/log/log.ts';

/** A database that is started again when it ends unasked. */
export interface KeptDatabase {
  url: string;
  stop(timeoutMs: number): Promise<void>;
}

/** Starts the embedded Postgres below the data directory and keeps it running, at the same address. */
export async function keepDatabase(
  dataDir: string,
  log: Log,
  onProgress: (step: string) => void,
): Promise<KeptDatabase> {
  const options = { dataDir: path.join(dataDir, 'postgres'), log };
  let server = await startEmbeddedPostgres({ ...options, onProgress });
  const { url } = server;
  let stopping = false;

  const restartWhenGone = async (): Promise<void> => {
    for (;;) {
      const how = await server.exited;
      if (stopping) return;
      log.error({ how }, 'the database server ended, starting it again');
      server = await startAgain();
    }
  };
  // Processes of the old server may hold its memory for a moment.
  const startAgain = async (): Promise<EmbeddedPostgres> => {
    for (;;) {
      try {
        return await startEmbeddedPostgres({ ...options, port: Number(new URL(url).port) });
      } catch (err) {
        if (stopping) throw err;
        log.error({ err }, 'the database server did not start');
        await sleep(500);
      }
    }
  };
  void restartWhenGone().catch(() => {});
  return {
    url,
    async stop(timeoutMs) {
      stopping = true;
      await server.stop(timeoutMs);
    },
  };
}

/** Brings our schema and the queue's up to date. @returns names of the migrations applied now */
export async function migrateAll(url: string, queue: 'postgres' | 'redis'): Promise<string[]> {
  const applied = await migrate({ url });
  if (queue === 'postgres') await migrateJobs({ url, grantTo: 'pingr_app' });
  return applied;
}
