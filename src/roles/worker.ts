import { createLaneMessages } from '../features/messages/lane.service.ts';
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
import { claimQueue, createSessionWaker, wakeQueue } from '../sessions-pool/wake.jobs.ts';
import { createOpenSocket } from '../whatsapp/baileys/open-socket.ts';
import type { WorkerConfig } from './config.ts';
import { type Core, openCore } from './core.ts';
import { runMaintenance } from './maintenance.ts';
import { announceReady } from './supervise-protocol.ts';
import { poolMetrics, publishMetrics } from './worker-metrics.ts';

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

  const pool = await lifecycle.open('session pool', () => openPool(core, config, workerId), {
    close: (opened) => opened.drain(),
    timeoutMs: 6_000,
  });
  await consume(core, pool, mode, workerId);
  await publishMetrics(core, { workerId, mode, states: () => pool.states() });
  await runMaintenance(core);
  announceReady();
  log.info({ worker: workerId }, 'worker is ready');
}

async function openPool(core: Core, config: WorkerConfig, workerId: string): Promise<SessionPool> {
  const { database, vault, log, jobs, events } = core;
  const { workerMode: mode } = config;
  const shared = { database, vault, newUuid, clock: systemClock, onFact: events.notify };
  const messages = createLaneMessages(shared);
  const waker = createSessionWaker(jobs, log);
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
    reports: createSessionReports(shared),
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

/** The worker's own queue of wake-ups ends with it. */
async function consume(
  { jobs, lifecycle }: Core,
  pool: SessionPool,
  mode: string,
  workerId: string,
): Promise<void> {
  await lifecycle.open(
    'wake-ups',
    () =>
      jobs.work(wakeQueue, async ({ session_id }) => pool.look(session_id), {
        concurrency: 50,
        suffix: workerId,
      }),
    {
      close: async (worker) => {
        await worker.close(500);
        await jobs.dropQueue(wakeQueue, workerId);
      },
    },
  );
  await lifecycle.open(
    'claims',
    () => jobs.work(claimQueue, async () => pool.claimSoon(), { concurrency: 10, suffix: mode }),
    {
      close: (worker) => worker.close(500),
    },
  );
}
