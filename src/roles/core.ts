import { findWrappedKey } from '../features/accounts/accounts.system.ts';
import {
  type CausedWork,
  createEventNotifier,
  type EventNotifier,
} from '../features/events/event-notifier.ts';
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
  /** Says who takes up work of a kind that facts have caused. */
  onCausedWork: (kind: CausedWork['kind'], take: (work: CausedWork) => void) => void;
  /** Says what to do before the metrics are read. */
  beforeMetrics: (gather: () => void) => void;
  /** Brings the metrics up to date. */
  gatherMetrics: () => void;
}

/** Opens the parts; the lifecycle closes them. @throws Error when database or queue cannot be reached */
export async function openCore(
  role: string,
  config: ApiConfig | WorkerConfig,
  log: Log,
  lifecycle: Lifecycle,
): Promise<Core> {
  const metrics = createMetrics();
  const { pool, database, notices } = await openDatabase(role, config, log, lifecycle);
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
  const takers = new Map<CausedWork['kind'], (work: CausedWork) => void>();
  const gatherers: (() => void)[] = [];
  const events = await lifecycle.open(
    'event notifier',
    () => createEventNotifier({ database, log, onWork: (work) => takers.get(work.kind)?.(work) }),
    {
      close: (opened) => opened.flush(),
    },
  );
  return {
    log,
    lifecycle,
    pool,
    database,
    notices,
    vault,
    jobs,
    metrics,
    events,
    onCausedWork: (kind, take) => void takers.set(kind, take),
    beforeMetrics: (gather) => void gatherers.push(gather),
    gatherMetrics: () => {
      for (const gather of gatherers) gather();
    },
  };
}

async function openDatabase(
  role: string,
  { databaseUrl: url, databasePoolSize: max }: ApiConfig | WorkerConfig,
  log: Log,
  lifecycle: Lifecycle,
): Promise<Pick<Core, 'pool' | 'database' | 'notices'>> {
  const openPool = (scope: 'app' | 'system') =>
    lifecycle.open(
      `database pool, scope ${scope}`,
      () => createPool({ url, max: Math.ceil(max / 2), name: `pingr-${role}`, scope, log }),
      { close: (opened) => opened.end() },
    );
  const pool = await openPool('app');
  const database = createDatabase(pool, await openPool('system'));
  const notices = await lifecycle.open('notices', () => createNotices({ url, clock: systemClock, log }), {
    close: (opened) => opened.close(),
  });
  return { pool, database, notices };
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
