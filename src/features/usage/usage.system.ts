import type { Mode } from '../../lib/mode.ts';
import type { SystemTx } from '../../platform/db/scope.ts';
import { COUNTED_STATUSES } from './usage.model.ts';

/** Whose messages are counted. */
export interface CountedScope {
  accountId: string;
  mode: Mode;
}

const COUNTED_TYPES = COUNTED_STATUSES.map((status) => `message.${status}`);

/**
 * Counts an account's next facts about messages and moves its cursor past them, in one transaction: each fact is
 * counted exactly once, whoever asks and however often. Below `pg_snapshot_xmin` nothing can appear any more before
 * what is visible.
 * @returns how many facts were read (fewer than `most`: there are no more), and whether the account has a cursor yet
 */
export async function countMessages(
  tx: SystemTx,
  { accountId, mode }: CountedScope,
  most: number,
): Promise<{ read: number; open: boolean }> {
  const [row] = await tx.query<{ read: number; open: boolean }>(
    `with cursor as (
       select txid, event_id from usage_cursors where account_id = $1 and mode = $2 for update
     ), news as (
       select e.txid, e.id, e.type, e.session_id, e.created_at
       from cursor c cross join lateral (
         select * from events e
         where e.account_id = $1 and e.mode = $2 and (e.txid, e.id) > (c.txid, c.event_id)
           and e.txid < pg_snapshot_xmin(pg_current_snapshot())
         order by e.txid, e.id limit $3
       ) e
     ), counted as (
       insert into usage_counts as c (account_id, mode, metric, minutes, start, session_id, status, count)
       select $1, $2, 'messages', s.minutes, s.start, n.session_id, substring(n.type from 9), count(*)
       from news n cross join lateral app.usage_stretches(n.created_at) s
       where n.type = any($4)
       group by 4, 5, 6, 7 order by 4, 5, 6, 7
       on conflict (account_id, mode, metric, minutes, start, session_id, key_id, user_id, status)
         do update set count = c.count + excluded.count
     ), moved as (
       update usage_cursors c set txid = n.txid, event_id = n.id
       from (select txid, id from news order by txid desc, id desc limit 1) n
       where c.account_id = $1 and c.mode = $2
     ) select (select count(*)::int from news) as read, exists (select from cursor) as open`,
    [accountId, mode, most, COUNTED_TYPES],
  );
  return row ?? { read: 0, open: false };
}

/** Lets an account's messages be counted, from its first fact on. */
export async function openCursor(tx: SystemTx, { accountId, mode }: CountedScope): Promise<void> {
  await tx.query('insert into usage_cursors (account_id, mode) values ($1, $2) on conflict do nothing', [
    accountId,
    mode,
  ]);
}

/**
 * Accounts that have facts since the last finished run of the job began, less two minutes for facts whose transaction
 * took its time. What slips through all the same is counted with the account's next fact, or when it asks.
 */
export function findUncounted(tx: SystemTx): Promise<CountedScope[]> {
  return tx.query<CountedScope>(
    `select distinct account_id as "accountId", mode from events
     where id >= app.uuid_floor((select counted_at from app.usage_progress) - interval '2 minutes')
       or not exists (select from app.usage_progress)`,
  );
}

/** Remembers that everything up to `at` has been counted. */
export async function noteCounted(tx: SystemTx, at: Date): Promise<void> {
  await tx.query(
    `insert into app.usage_progress (counted_at) values ($1)
     on conflict (only_row) do update set counted_at = excluded.counted_at`,
    [at],
  );
}
