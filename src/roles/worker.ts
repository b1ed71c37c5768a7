import { randomBytes } from 'node:crypto';
import type { MailService } from '../features/mail/mail.service.ts';
import { createLaneMessages } from '../features/messages/lane.service.ts';
import { createMessagesService } from '../features/messages/messages.service.ts';
import { autoPair } from '../features/sandbox/auto-pair.ts';
import { createEmulatorClient } from '../features/sandbox/emulator-client.ts';
import { createSessionReports } from '../features/sessions/session-reports.service.ts';
import { newUuid } from '../lib/ids.ts';
import { systemClock } from '../lib/system-clock.ts';
import { createLifecycle } from '../platform/lifecycle/lifecycle.ts';
import { exitOnSignals } from '../platform/lifecycle/signals.ts';
import { createLog } from '../platform/log/log.ts';
import { POOL_TIMINGS, SessionPool } from '../sessions-pool/pool.ts';
import { createRecipients } from '../sessions-pool/recipients.ts';
import { createReconnectGate } from '../sessions-pool/reconnect-gate.ts';
import { createSessionKeyStores } from '../sessions-pool/session-key-store.ts';
import { claimQueue, createSessionWaker, wakeChannel } from '../sessions-pool/wake.jobs.ts';
import { createOpenSocket } from '../whatsapp/baileys/open-socket.ts';
import type { WorkerConfig } from './config.ts';
import { type Core, openCore } from './core.ts';
import { runMaintenance } from './maintenance.ts';
import { mailEnded } from './owner-mails.ts';
import { type Outbound, openOutbound, runMails } from './parts-outbound.ts';
import { runTriggers } from './parts-triggers.ts';
import { runWebhooks } from './parts-webhooks.ts';
import { announceReady } from './supervise-protocol.ts';
import { poolMetrics, publishMetrics } from './worker-metrics.ts';
import { runAccountJobs } from './worker-parts.ts';

/** WhatsApp's own server; nothing can point a live worker elsewhere. */
const LIVE_URL = 'wss://web.whatsapp.com/ws/chat';

/** Holds WhatsApp sockets of one mode: the session pool and the queue consumers that wake it. */
export async function runWorker(config: WorkerConfig): Promise<void> {
  const { workerMode: mode } = config;
  const log = createLog({
    level: config.logLevel,
    format: config.logFormat,
    fields: { role: 'worker', mode },
  });
  const lifecycle = createLifecycle(log);
  exitOnSignals({ lifecycle, log, timeoutMs: config.shutdownTimeoutMs, survivesRejections: true });
  const core = await openCore(`worker-${mode}`, config, log, lifecycle);
  const workerId = newUuid();

  const outbound = await openOutbound(core, config);
  const own = { workerId, mails: outbound.mails };
  const pool = await lifecycle.open('session pool', () => openPool(core, config, own), {
    close: (opened) => opened.drain(),
    timeoutMs: 6_000,
  });
  await consume(core, pool, mode, workerId);
  core.beforeMetrics(() => {
    core.metrics.sockets.reset();
    for (const [state, count] of pool.states()) core.metrics.sockets.set({ mode, state }, count);
  });
  await openReactions(core, config, workerId, outbound);
  await publishMetrics(core, workerId);
  await runMaintenance(core, outbound);
  announceReady();
  log.info({ worker: workerId }, 'worker is ready');
}

/** What facts cause: webhooks, triggers and mails. */
async function openReactions(
  core: Core,
  config: WorkerConfig,
  workerId: string,
  outbound: Outbound,
): Promise<void> {
  const { database, vault, jobs, log, events } = core;
  const messages = createMessagesService({
    database,
    vault,
    newUuid,
    randomBytes,
    clock: systemClock,
    onFact: events.notify,
    waker: createSessionWaker({ jobs, send: events.send, log }),
  });
  const worker = { workerId, mode: config.workerMode, messages };
  await runWebhooks(core, outbound, worker);
  await runTriggers(core, outbound, worker);
  await runMails(core, config, outbound);
  await runAccountJobs(core, config, outbound);
}

async function openPool(
  core: Core,
  config: WorkerConfig,
  { workerId, mails }: { workerId: string; mails: MailService },
): Promise<SessionPool> {
  const { database, vault, log, jobs, events } = core;
  const { workerMode: mode } = config;
  const shared = { database, vault, newUuid, clock: systemClock, onFact: events.notify };
  const messages = createLaneMessages(shared);
  const waker = createSessionWaker({ jobs, send: events.send, log });
  const pool = new SessionPool({
    workerId,
    mode,
    database,
    messages,
    clock: systemClock,
    random: Math.random,
    log,
    timings: POOL_TIMINGS,
    metrics: poolMetrics(core.metrics, mode),
    reports: createSessionReports({
      ...shared,
      onEnded: (tx, hold, end) => mailEnded(mails, tx, hold, end),
      afterEnded: () => mails.wake(),
    }),
    recipients: createRecipients(messages),
    keyStores: createSessionKeyStores(shared),
    gate: createReconnectGate({ perSecond: mode === 'live' ? 10 : 200 }),
    openSocket: createOpenSocket({ log, ...trustOf(config) }),
    url: mode === 'test' && config.sandboxWsUrl !== undefined ? config.sandboxWsUrl : LIVE_URL,
    connectTimeoutMs: 10_000,
    ackTimeoutMs: 8_000,
    autoPair: autoPairOf(config),
    onReleased: ([first]) => {
      if (first !== undefined) waker.wake({ id: first, mode, owner: undefined });
    },
  });
  await pool.start();
  return pool;
}

/** A live worker trusts WhatsApp's own root key and no other. */
function trustOf({ workerMode, sandboxRootKey, whatsappVersion }: WorkerConfig) {
  return {
    ...(workerMode === 'test' && sandboxRootKey && { rootKey: sandboxRootKey.toString('hex') }),
    ...(whatsappVersion && { version: whatsappVersion }),
  };
}

function autoPairOf({ workerMode, sandboxControlUrl, sandboxControlToken }: WorkerConfig) {
  if (workerMode !== 'test' || sandboxControlUrl === undefined || sandboxControlToken === undefined)
    return undefined;
  const emulator = createEmulatorClient({ controlUrl: sandboxControlUrl, controlToken: sandboxControlToken });
  return ({ accountId }: { accountId: string }, qr: string) => autoPair(emulator, accountId, qr);
}

/** Listens for wake-ups of the sessions it holds, and takes jobs that ask for a worker. */
async function consume(
  { jobs, notices, lifecycle }: Core,
  pool: SessionPool,
  mode: string,
  workerId: string,
): Promise<void> {
  await notices.listen(wakeChannel(workerId), (sessionId) =>
    sessionId === undefined ? pool.sweepSoon() : pool.look(sessionId),
  );
  await lifecycle.open(
    'claims',
    () => jobs.work(claimQueue, async () => pool.claimSoon(), { concurrency: 10, suffix: mode }),
    {
      close: (worker) => worker.close(500),
    },
  );
}
