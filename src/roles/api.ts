import type { FastifyInstance } from 'fastify';
import { keyErrors } from '../features/api-keys/api-keys.errors.ts';
import { createAuthenticator } from '../features/api-keys/authenticate-key.ts';
import { createKeyHash } from '../features/api-keys/key-hash.ts';
import { createKeyUsage } from '../features/api-keys/key-usage.ts';
import { serveMailbox } from '../features/mail/mailbox.routes.ts';
import { readMailbox } from '../features/mail/read-mailbox.ts';
import { newUuid, toId } from '../lib/ids.ts';
import { systemClock } from '../lib/system-clock.ts';
import { pendingMigrations } from '../platform/db/migrate.ts';
import { type AppOptions, createApp } from '../platform/http/app.ts';
import { createLifecycle } from '../platform/lifecycle/lifecycle.ts';
import { exitOnSignals } from '../platform/lifecycle/signals.ts';
import { createLog } from '../platform/log/log.ts';
import { createRateLimiter } from '../platform/rate-limit/rate-limiter.ts';
import {
  createSharedStore,
  type RateLimitBackend,
  type RateLimitStore,
  withMemoryFallback,
} from '../platform/rate-limit/stores.ts';
import { connectRedis } from '../platform/redis/redis.ts';
import { API_INFO } from './api-info.ts';
import { type AccountParts, openAccountParts } from './api-parts.ts';
import { openRoutes } from './api-routes.ts';
import type { ApiConfig } from './config.ts';
import { type Core, openCore } from './core.ts';
import { gatherMetrics } from './gather-metrics.ts';
import { type Outbound, openOutbound } from './parts-outbound.ts';
import { openActivityLog } from './parts-usage.ts';
import { announceReady } from './supervise-protocol.ts';

const WINDOW_MS = 60_000;
/** Wrong keys that an address may try in a minute. */
const FAILURES_PER_WINDOW = 30;

/** Answers HTTP: REST, streams, the reference. Holds no state. */
export async function runApi(config: ApiConfig): Promise<void> {
  const log = createLog({ level: config.logLevel, format: config.logFormat, fields: { role: 'api' } });
  const lifecycle = createLifecycle(log);
  exitOnSignals({ lifecycle, log, timeoutMs: config.shutdownTimeoutMs });
  const core = await openCore('api', config, log, lifecycle);
  const { database, vault, jobs } = core;
  const outbound = await openOutbound(core, config);
  const store = withMemoryFallback({
    shared: createSharedStore(await rateLimitBackend(core, config)),
    clock: systemClock,
    log,
  });
  const account = await openAccountParts(core, config, outbound, store);
  const onRequest = await openActivityLog(core);

  const app = await createApp({
    log,
    database,
    vault,
    clock: systemClock,
    random: Math.random,
    info: API_INFO,
    metrics: core.metrics,
    newRequestId: () => toId('request', newUuid()),
    trustProxy: config.trustProxy,
    onRequest,
    admission: await admission(core, config, account, store),
    routes: [...(await openRoutes(core, config, outbound)), ...account.routes],
    pages: [...account.pages, ...(config.mailbox ? [mailboxOf(core, outbound)] : [])],
    health: {
      metricsToken: config.metricsToken,
      gather: gatherMetrics(core),
      checks: {
        database: () => database.systemOnce((tx) => tx.query('select 1')),
        queue: () => jobs.health(),
        migrations: async () => {
          const pending = await database.systemOnce((tx) => pendingMigrations((text) => tx.query(text)));
          if (pending.length > 0) throw new Error(`${pending.length} migrations are pending`);
        },
      },
    },
  });
  await lifecycle.open('http', () => app.listen({ port: config.port, host: config.host }), {
    close: () => app.close(),
    timeoutMs: 4_000,
  });
  announceReady();
  log.info({ port: config.port, host: config.host }, 'api is ready');
}

function mailboxOf({ database }: Core, { mailCipher: cipher }: Outbound) {
  return (app: FastifyInstance) => serveMailbox(app, () => readMailbox({ database, cipher }));
}

async function admission(
  core: Core,
  config: ApiConfig,
  { people, watch, rateLimitOf }: AccountParts,
  store: RateLimitStore,
): Promise<AppOptions['admission']> {
  const { database, notices, log, lifecycle } = core;
  const clock = systemClock;
  const usage = await lifecycle.open('key usage', () => createKeyUsage({ database, clock, log }), {
    close: (opened) => opened.close(),
  });
  const hashKey = createKeyHash(config.apiKeyPepper);
  const limiter = () => createRateLimiter({ store, clock, windowMs: WINDOW_MS });
  const byKey = await createAuthenticator({
    database,
    notices,
    hashKey,
    usage,
    clock,
    onRefused: (key, ip) => watch.refused(key, ip),
  });
  return {
    authenticate: people.besideKeys(watch.watched(byKey)),
    rateLimiter: limiter(),
    rateLimitOf,
    failureLimiter: limiter(),
    failureLimit: FAILURES_PER_WINDOW,
    refusals: [...Object.values(keyErrors), ...people.refusals],
  };
}

/** The counters are kept where the queue is. */
async function rateLimitBackend(
  { pool, lifecycle, log }: Core,
  config: ApiConfig,
): Promise<RateLimitBackend> {
  const { queue, redisUrl: url, queuePrefix: prefix } = config;
  if (queue !== 'redis' || url === undefined) return { kind: 'postgres', pool };
  const redis = await lifecycle.open(
    'rate limit store',
    () => connectRedis({ url, name: 'pingr-rate-limit', whileDown: 'fail', log }),
    { close: (opened) => opened.quit() },
  );
  return { kind: 'redis', redis, prefix };
}
