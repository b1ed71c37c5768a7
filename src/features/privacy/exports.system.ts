import type { SystemTx } from '../../platform/db/scope.ts';
import type { ExportRow } from './exports.store.ts';

/** Begins work on an export, or begins it again after a crash. @returns whose it is; `undefined` where nothing is to do */
export async function beginExport(tx: SystemTx, id: string): Promise<{ account_id: string } | undefined> {
  const [row] = await tx.query<{ account_id: string }>(
    `update account_exports set status = 'running', parts_done = 0, rows_done = 0
     where id = $1 and status in ('queued', 'running') returning account_id`,
    [id],
  );
  return row;
}

export interface ExportProgress {
  partsDone: number;
  partsTotal: number;
  rowsDone: number;
}

export async function noteProgress(tx: SystemTx, id: string, progress: ExportProgress): Promise<void> {
  await tx.query(
    'update account_exports set parts_done = $2, parts_total = $3, rows_done = $4 where id = $1',
    [id, progress.partsDone, progress.partsTotal, progress.rowsDone],
  );
}

/** @returns false where the export is gone, its account having been erased meanwhile */
export async function finishExport(
  tx: SystemTx,
  id: string,
  result: { bytes: number; at: Date; expiresAt: Date },
): Promise<boolean> {
  const rows = await tx.query(
    `update account_exports set status = 'ready', bytes = $2, finished_at = $3, expires_at = $4
     where id = $1 and status = 'running' returning id`,
    [id, result.bytes, result.at, result.expiresAt],
  );
  return rows.length > 0;
}

export async function failExport(tx: SystemTx, id: string, at: Date): Promise<void> {
  await tx.query(
    `update account_exports set status = 'failed', finished_at = $2 where id = $1 and status in ('queued', 'running')`,
    [id, at],
  );
}

/** Exports whose archive is past its time. */
export function findExpiredExports(tx: SystemTx, at: Date): Promise<Pick<ExportRow, 'id' | 'account_id'>[]> {
  return tx.query(`select id, account_id from account_exports where status = 'ready' and expires_at <= $1`, [
    at,
  ]);
}

export async function markExpired(tx: SystemTx, id: string): Promise<void> {
  await tx.query(`update account_exports set status = 'expired' where id = $1`, [id]);
}

/** Exports that have waited or worked for so long that their job may be lost. */
export async function findStalledExports(tx: SystemTx, before: Date): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(
    `select id from account_exports where status in ('queued', 'running') and created_at < $1`,
    [before],
  );
  return rows.map((row) => row.id);
}

export interface ExportTable {
  name: string;
  columns: { name: string; type: string }[];
}

/** Every table with rows of accounts, and the accounts themselves, with their columns. */
export function listAccountTables(tx: SystemTx): Promise<ExportTable[]> {
  return tx.query<ExportTable>(
    `select t.name, jsonb_agg(jsonb_build_object('name', a.attname, 'type', a.atttypid::regtype::text) order by a.attnum) as columns
     from (select name, target from app.account_tables() union all select 'accounts', 'public.accounts'::regclass) t
     join pg_attribute a on a.attrelid = t.target and a.attnum > 0 and not a.attisdropped
     group by t.name order by t.name`,
  );
}

/** What a row is about and no table of the account holds: the people behind its members, as members see each other. */
const JOINED: Readonly<Record<string, string>> = {
  members: `left join lateral (
    select email, name, time_zone, locale, avatar_url from users where id = t.user_id) u on true`,
};

/** Rows of one account in a table, read a few at a time from one snapshot. Keeps the transaction busy until it ends. */
export async function* readRows(
  tx: SystemTx,
  table: { name: string; columns: readonly string[] },
  accountId: string,
): AsyncGenerator<Record<string, unknown>[]> {
  const owner = table.name === 'accounts' ? 'id' : 'account_id';
  const joined = JOINED[table.name];
  const fields = [...table.columns.map((column) => `t."${column}"`), ...(joined ? ['u.*'] : [])].join(', ');
  // A slow reader must not be taken for one that is gone, nor a large account for a runaway query.
  await tx.query(`set local statement_timeout = '5min'`);
  await tx.query(`set local idle_in_transaction_session_timeout = '5min'`);
  await tx.query(
    `declare exported no scroll cursor for
     select to_jsonb(r) as row from (select ${fields} from ${table.name} t ${joined ?? ''} where t.${owner} = $1) r`,
    [accountId],
  );
  for (;;) {
    const rows = await tx.query<{ row: Record<string, unknown> }>('fetch 500 from exported');
    if (rows.length === 0) return;
    yield rows.map(({ row }) => row);
  }
}
