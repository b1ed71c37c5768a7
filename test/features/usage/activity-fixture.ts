import { type ActivityRow, toActivityRow } from '../../../src/features/usage/activity.model.ts';
import type { ActivityFilter } from '../../../src/features/usage/activity.store.ts';
import { writeActivity } from '../../../src/features/usage/activity.system.ts';
import { newUuid, uuidFloor } from '../../../src/lib/ids.ts';
import type { RequestRecord } from '../../../src/platform/http/request-log.ts';
import type { TestDatabase } from '../../support/database.ts';
import { requestOf } from './usage-fixture.ts';

type Over = Partial<RequestRecord> & { keyId?: string; userId?: string };

/** An entry of the log at a time. */
export function entryAt(account: string, at: Date, over: Over = {}): ActivityRow {
  const id = uuidFloor(at).slice(0, 14) + newUuid().slice(14);
  const row = toActivityRow(requestOf(account, over), id, at);
  if (row === undefined) throw new Error('no row');
  return row;
}

/** Writes entries as the log does, by some hundreds. */
export async function write(db: TestDatabase, rows: readonly ActivityRow[]): Promise<void> {
  for (let i = 0; i < rows.length; i += 500) {
    await db.database.systemOnce((tx) => writeActivity(tx, rows.slice(i, i + 500)));
  }
}

/** Ids of the entries that a filter is after, newest first. */
export function matching(rows: readonly ActivityRow[], filter: ActivityFilter): string[] {
  const { since, until, status } = filter;
  const equal: [unknown, (row: ActivityRow) => unknown][] = [
    [filter.method, (row) => row.method],
    [filter.route, (row) => row.route],
    [filter.keyId, (row) => row.key_id],
    [filter.userId, (row) => row.user_id],
    [filter.requestId, (row) => row.request_id],
    [filter.errorCode, (row) => row.error_code],
    [filter.ip, (row) => row.ip],
  ];
  return rows
    .filter((row) => equal.every(([wanted, of]) => wanted === undefined || wanted === of(row)))
    .filter((row) => status === undefined || (row.status >= status.from && row.status <= status.to))
    .filter((row) => (since === undefined || row.at >= since) && (until === undefined || row.at < until))
    .map(({ id }) => id)
    .toSorted()
    .toReversed();
}
