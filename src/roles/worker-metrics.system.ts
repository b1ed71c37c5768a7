import type { SystemTx } from '../platform/db/scope.ts';

/** Snapshots older than this belong to workers that are gone. */
const FRESH = `interval '30 seconds'`;

export async function storeWorkerMetrics(tx: SystemTx, workerId: string, snapshot: unknown): Promise<void> {
  await tx.query('update workers set metrics = $2, metrics_at = now() where id = $1', [
    workerId,
    JSON.stringify(snapshot),
  ]);
}

/** The latest snapshot of each worker that lives. */
export async function readWorkerMetrics(tx: SystemTx): Promise<unknown[]> {
  const rows = await tx.query<{ metrics: unknown }>(
    `select metrics from workers where metrics_at > now() - ${FRESH}`,
  );
  return rows.map((row) => row.metrics);
}
