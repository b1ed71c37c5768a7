import { mergeMetrics } from '../platform/metrics/merge-metrics.ts';
import { setQueueDepths } from '../platform/metrics/metrics.ts';
import type { Core } from './core.ts';
import { readWorkerMetrics } from './worker-metrics.system.ts';

/** Text for `/metrics`: this process's own metrics, the queue's depths, and what the workers left in the database. */
export function gatherMetrics({ database, jobs, metrics }: Core): () => Promise<string> {
  return async () => {
    setQueueDepths(metrics, await jobs.depths());
    const workers = await database.systemOnce(readWorkerMetrics);
    return mergeMetrics(metrics.registry, workers);
  };
}
