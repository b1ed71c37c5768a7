import type { Mode } from '../lib/mode.ts';
import type { Metrics } from '../platform/metrics/metrics.ts';
import type { PoolMetrics } from '../sessions-pool/pool-metrics.ts';
import type { Core } from './core.ts';
import { storeWorkerMetrics } from './worker-metrics.system.ts';

const PUBLISH_EVERY_MS = 5_000;

/** Puts what the pool counts on the process's metrics. */
export function poolMetrics(metrics: Metrics, mode: Mode): PoolMetrics {
  return {
    sendEnded: (outcome) => metrics.sends.inc({ mode, outcome }),
    laneLag: (ms) => metrics.laneLag.observe({ mode }, ms / 1_000),
    receipt: (status) => metrics.receipts.inc({ mode, status }),
    sendTook: (ms) => metrics.sendDuration.observe({ mode }, ms / 1_000),
    inbound: (count) => metrics.inbound.inc({ mode }, count),
    disconnected: (code, again) => {
      metrics.disconnects.inc({ mode, code });
      if (again) metrics.reconnects.inc({ mode });
    },
  };
}

/** Leaves the worker's metrics in the database every few seconds, for the API to show with its own. */
export async function publishMetrics(
  { database, metrics, lifecycle, log, gatherMetrics }: Core,
  workerId: string,
): Promise<void> {
  const publish = async () => {
    gatherMetrics();
    const snapshot = await metrics.registry.getMetricsAsJSON();
    await database.systemOnce((tx) => storeWorkerMetrics(tx, workerId, snapshot));
  };
  await lifecycle.open(
    'metrics',
    () =>
      setInterval(() => {
        publish().catch((error: unknown) => log.warn({ err: error }, 'metrics not published'));
      }, PUBLISH_EVERY_MS),
    { close: (timer) => clearInterval(timer) },
  );
}
