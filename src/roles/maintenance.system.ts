import type { SystemTx } from '../platform/db/scope.ts';

export async function preparePartitions(tx: SystemTx): Promise<void> {
  await tx.query('call app.prepare_partitions()');
}

/** Removes workers that have not been heard of for so long that they will not come back. */
export async function forgetGoneWorkers(tx: SystemTx): Promise<void> {
  await tx.query(`delete from workers where beat_at < now() - interval '10 minutes'`);
}
