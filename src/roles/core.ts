import { findWrappedKey } from '../features/accounts/accounts.system.ts';
import { createEventNotifier, type EventNotifier } from '../features/events/event-notifier.ts';
import { systemClock } from '../lib/system-clock.ts';
import { createVault, type Vault } from '../platform/crypto/vault.ts';
import { createDatabase, type Database } from '../platform/db/database.ts';
import { createNotices, type Notices } from '../platform/db/notices.ts';
import { createPool } from '../platform/db/pool.ts';
import { createJobs, type Jobs, type JobsBackend } from '../platform/jobs/jobs.ts';
import type { Lifecycle } from '../platform/lifecycle/lifecycle.ts';
import type { Log } from '../platform/log/log.ts';
import { createMetrics, type Metrics } from '../platform/metrics/metrics.ts';
import type { ApiConfig, WorkerConfig } from './config.ts';

/** What every process that works on data stands on. */
export interface Core {
  log: Log;
  lifecycle: Lifecycle;
  pool: ReturnType<typeof createPool>;
  database: Database;
  notices: Notices;
  vault: Vault;
  jobs: Jobs;
  metrics: Metrics;
  /** Tells streams, after the commit, that an account has new facts. */
  events: EventNotifier;
}

/** Opens the parts; the lifecycle closes them. @throws Error when database or queue cannot be reached */
export async function openCore(
  role: string,
  config: ApiConfig | WorkerConfig,
  log: Log,
  lifecycle: Lifecycle,
): Promise<Core> {
  const { databaseUrl: url, databasePoolSize: max } = config;
  const metrics = createMetrics();
  const pool = await lifecycle.open(
    'database pool',
    () => createPool({ url, max, name: `pingr-${role}`, log }),
    {
      close: (opened) => opened.end(),
    },
  );
  const database = createDatabase(pool);
  const notices = await lifecycle.open('notices', () => createNotices({ url, clock: systemClock, log }), {
    close: (opened) => opened.close(),
  });
  const jobs = await lifecycle.open(
    'jobs',
    () => createJobs({ backend: jobsBackend(config), log, metrics }),
    {
      close: (opened) => opened.close(2_000),
    },
  );
  const vault = createVault({
    masterKey: config.masterKey,
    loadWrappedKey: (accountId) => database.systemOnce((tx) => findWrappedKey(tx, accountId)),
  });
  const events = await lifecycle.open('event notifier', () => createEventNotifier({ database, log }), {
    close: (opened) => opened.flush(),
  });
  return { log, lifecycle, pool, database, notices, vault, jobs, metrics, events };
}

function jobsBackend(config: ApiConfig | WorkerConfig): JobsBackend {
  if (config.queue === 'redis' && config.redisUrl !== undefined) {
    return { kind: 'redis', url: config.redisUrl, prefix: config.queuePrefix };
  }
  return {
    kind: 'postgres',
    url: config.databaseUrl,
    role: 'pingr_app',
    maxConnections: config.databasePoolSize,
  };
}
