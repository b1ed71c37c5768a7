import type { SystemTx } from '../../platform/db/scope.ts';

/** One purge, as `app.purge_runs` records it. */
export interface PurgeRun {
  id: string;
  started_at: Date;
  finished_at: Date | null;
  /** Whole weeks that were dropped. */
  dropped: { table: string; partition: string; until: string; bytes: number }[];
  /** Weeks that were in use for so long that they wait for the next purge. */
  skipped: string[];
  /** Rows deleted one by one, by table. */
  deleted: Record<string, number>;
  /** Messages whose content was forgotten; Postgres writes a bigint as text. */
  contents: string;
}

/** Opens a run in the records. @returns its UUID */
export async function beginPurge(tx: SystemTx): Promise<string> {
  const [row] = await tx.query<{ id: string }>('select app.begin_purge() as id');
  if (row === undefined) throw new Error('begin_purge returned no row');
  return row.id;
}

/** Drops the oldest week that is over. @returns its name, or null where none is left that can be dropped now */
export async function dropExpiredPartition(tx: SystemTx, run: string): Promise<string | null> {
  const [row] = await tx.query<{ partition: string | null }>(
    'select app.drop_expired_partition($1) as partition',
    [run],
  );
  return row?.partition ?? null;
}

/** Deletes rows that are over and in no week that will be dropped. @returns how many, at most `most` of each table */
export function deleteExpiredRows(tx: SystemTx, run: string, most: number): Promise<number> {
  return count(tx, 'select app.delete_expired_rows($1, $2) as count', [run, most]);
}

/** Forgets contents older than their accounts want. @returns how many, at most `most` of an account and mode */
export function forgetOldContents(tx: SystemTx, run: string, most: number): Promise<number> {
  return count(tx, 'select app.forget_old_contents($1, $2) as count', [run, most]);
}

/**
 * Forgets contents of accounts that store none, where WhatsApp, webhooks and triggers are done with them.
 * @returns facts read and contents forgotten, together: 0 where nothing is left to do now
 */
export function forgetFinishedContents(tx: SystemTx, most: number): Promise<number> {
  return count(tx, 'select app.forget_finished_contents($1) as count', [most]);
}

/** Closes the run. @returns what it did */
export async function endPurge(tx: SystemTx, run: string): Promise<PurgeRun> {
  const [row] = await tx.query<PurgeRun>('select * from app.end_purge($1)', [run]);
  if (row === undefined) throw new Error('end_purge returned no row');
  return row;
}

/** Whether no purge has finished within so many hours: the nightly one was missed. */
export async function isPurgeOverdue(tx: SystemTx, hours: number): Promise<boolean> {
  const [row] = await tx.query<{ overdue: boolean }>(
    `select not exists (
       select from app.purge_runs where finished_at > now() - make_interval(hours => $1)) as overdue`,
    [hours],
  );
  return row?.overdue ?? true;
}

async function count(tx: SystemTx, text: string, values: readonly unknown[]): Promise<number> {
  const [row] = await tx.query<{ count: number }>(text, values);
  return row?.count ?? 0;
}
