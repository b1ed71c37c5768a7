import type { Mode } from '../../lib/mode.ts';
import type { AccountTx } from '../../platform/db/scope.ts';
import type { AlertKind } from './abuse.model.ts';

export interface AlertRow {
  id: string;
  mode: Mode;
  kind: AlertKind;
  subject: string;
  detail: Record<string, unknown>;
  count: number;
  first_at: Date;
  last_at: Date;
  restricted_until: Date | null;
  factor: number | null;
}

/** Newest first; `after` is the UUID of the last alert of the page before. */
export function listAlerts(
  tx: AccountTx,
  page: { limit: number; after?: string | undefined },
): Promise<AlertRow[]> {
  return tx.query<AlertRow>(
    'select * from account_alerts where $2::uuid is null or id < $2 order by id desc limit $1',
    [page.limit, page.after ?? null],
  );
}
