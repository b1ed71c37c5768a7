import type { SystemTx } from '../platform/db/scope.ts';

export async function preparePartitions(tx: SystemTx): Promise<void> {
  await tx.query('call app.prepare_partitions()');
}

/** Workers that have not been heard of for so long that they will not come back. */
export async function findGoneWorkers(tx: SystemTx): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(
    `select id from workers where beat_at < now() - interval '10 minutes'`,
  );
  return rows.map((row) => row.id);
}

export async function forgetWorker(tx: SystemTx, workerId: string): Promise<void> {
  await tx.query('delete from workers where id = $1', [workerId]);
}
