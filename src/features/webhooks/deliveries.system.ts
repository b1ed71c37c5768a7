import type { SystemTx } from '../../platform/db/scope.ts';

/**
 * Cancels deliveries that were made or on their way while their endpoint was deleted, so many at most, and closes
 * their attempts.
 * @returns how many deliveries those were
 */
export async function cancelOrphans(tx: SystemTx, atMost: number): Promise<number> {
  const rows = await tx.query(
    `with orphans as (
       select d.id from webhook_deliveries d where d.status in ('pending', 'sending')
         and not exists (select from webhook_endpoints w where w.id = d.endpoint_id)
       limit $1 for update skip locked
     ), attempts as (
       update webhook_attempts a set outcome = 'interrupted' where a.outcome is null
         and not exists (select from webhook_endpoints w where w.id = a.endpoint_id)
     )
     update webhook_deliveries d set status = 'cancelled', next_attempt_at = null, finished_at = now()
     from orphans o where d.id = o.id returning d.id`,
    [atMost],
  );
  return rows.length;
}
