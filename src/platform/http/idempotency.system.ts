import type { SystemTx } from '../db/scope.ts';
import { KEPT_FOR } from './idempotency.store.ts';

/**
 * Deletes answers that were kept long enough, at most `limit` at a time so that locks stay short.
 * @returns how many were deleted; call again while it equals the limit
 */
export async function purgeIdempotencyKeys(tx: SystemTx, limit = 5_000): Promise<number> {
  const rows = await tx.query(
    `delete from idempotency_keys where ctid in (
       select ctid from idempotency_keys where created_at < now() - interval '${KEPT_FOR}' limit $1
       for update skip locked
     ) returning 1`,
    [limit],
  );
  return rows.length;
}
