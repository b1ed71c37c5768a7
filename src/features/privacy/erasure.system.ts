import type { SystemTx } from '../../platform/db/scope.ts';

/**
 * Begins an erasure: from here on nothing restores the account. Its sessions are to be logged out at WhatsApp and
 * deleted by their workers, while their credentials can still be read.
 * @returns sessions left, and since when the erasure has been under way; `undefined` where none is due
 */
export async function beginErasure(
  tx: SystemTx,
  accountId: string,
  at: Date,
): Promise<{ sessions: number; since: Date } | undefined> {
  const [row] = await tx.query<{ sessions: number; since: Date }>(
    `with closure as (
       update account_closures c set erasing_at = coalesce(c.erasing_at, $2)
       where c.account_id = $1 and (c.erase_at <= $2 or c.erasing_at is not null) returning *
     ), sessions as (
       update sessions s set desired = 'deleted' from closure c where s.account_id = c.account_id returning s.id
     ), leases as (
       update session_leases l set wanted = true, next_attempt_at = now()
       from sessions s where l.session_id = s.id and not l.wanted
     ) select c.erasing_at as since, (select count(*)::int from sessions) as sessions from closure c`,
    [accountId, at],
  );
  return row;
}

/** Keeps what the law wants kept, then destroys the data key: the rest can no longer be read, wherever it is. */
export async function destroyDataKey(tx: SystemTx, accountId: string): Promise<void> {
  await tx.query('select app.keep_for_law($1), app.destroy_data_key($1)', [accountId]);
}

/** Deletes some rows of every table. @returns how many of which; empty once none is left */
export async function eraseRows(
  tx: SystemTx,
  accountId: string,
  most: number,
): Promise<Record<string, number>> {
  // Some tables are read whole.
  await tx.query(`set local statement_timeout = '15min'`);
  const [row] = await tx.query<{ deleted: Record<string, number> }>(
    'select app.erase_rows($1, $2) as deleted',
    [accountId, most],
  );
  return row?.deleted ?? {};
}

/** Removes the account itself and leaves a receipt. @returns the receipt's UUID */
export async function finishErasure(
  tx: SystemTx,
  accountId: string,
  deleted: Record<string, number>,
): Promise<string> {
  await tx.query(`set local statement_timeout = '15min'`);
  const [row] = await tx.query<{ id: string }>('select app.finish_erasure($1, $2) as id', [
    accountId,
    deleted,
  ]);
  if (row === undefined) throw new Error('finish_erasure returned no row');
  return row.id;
}
