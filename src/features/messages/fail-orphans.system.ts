import type { SystemTx } from '../../platform/db/scope.ts';
import { announceFailures } from './lane.system.ts';

/**
 * Fails unsent messages whose session has no future: it was deleted, logged out or banned while they were being
 * accepted, so that its worker could not see them. Takes two statements.
 * @returns the accounts that have new facts
 */
export async function failOrphans(tx: SystemTx, newUuid: () => string): Promise<string[]> {
  const rows = await tx.query<{ id: string; account_id: string }>(
    `update messages m set status = 'failed', failed_at = now(), error_code = 'message.session_closed',
       error_detail = 'The session ended before the message was sent. Link the number again and send it anew.'
     where m.status in ('queued', 'sending') and m.accepted_at < now() - interval '1 minute'
       and not exists (
         select from sessions s where s.id = m.session_id and s.status not in ('logged_out', 'banned'))
     returning m.id, m.account_id`,
  );
  await announceFailures(
    tx,
    rows.map((row) => row.id),
    newUuid,
  );
  return [...new Set(rows.map((row) => row.account_id))];
}
