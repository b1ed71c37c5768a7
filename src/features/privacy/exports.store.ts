import type { AccountTx } from '../../platform/db/scope.ts';

export interface ExportRow {
  id: string;
  account_id: string;
  status: 'queued' | 'running' | 'ready' | 'failed' | 'expired';
  parts_done: number;
  parts_total: number | null;
  /** Postgres writes a bigint as text. */
  rows_done: string;
  bytes: string | null;
  created_at: Date;
  finished_at: Date | null;
  expires_at: Date | null;
}

export async function findExport(tx: AccountTx, id: string): Promise<ExportRow | undefined> {
  const [row] = await tx.query<ExportRow>('select * from account_exports where id = $1', [id]);
  return row;
}

/** Newest first; `after` is the UUID of the last export of the page before. */
export function listExports(
  tx: AccountTx,
  page: { limit: number; after?: string | undefined },
): Promise<ExportRow[]> {
  return tx.query<ExportRow>(
    'select * from account_exports where $2::uuid is null or id < $2 order by id desc limit $1',
    [page.limit, page.after ?? null],
  );
}

/** Adds an export unless one is under way. @returns the new one, or that one */
export async function addExport(
  tx: AccountTx,
  wanted: { id: string; accountId: string; at: Date },
): Promise<ExportRow> {
  for (;;) {
    const [added] = await tx.query<ExportRow>(
      `insert into account_exports (id, account_id, created_at) values ($1, $2, $3)
       on conflict (account_id) where status in ('queued', 'running') do nothing returning *`,
      [wanted.id, wanted.accountId, wanted.at],
    );
    if (added !== undefined) return added;
    const [underWay] = await tx.query<ExportRow>(
      `select * from account_exports where status in ('queued', 'running')`,
    );
    if (underWay !== undefined) return underWay;
    // That one has ended between the two statements: now there is room for a new one.
  }
}
