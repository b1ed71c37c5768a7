import type { Mode } from '../../lib/mode.ts';
import type { AccountTx } from '../../platform/db/scope.ts';
import type { Bucket, Group, Metric, Range, Stretches } from './usage.model.ts';

/** Whose counts are read; row-level security sees to it, this is for the index. */
export interface UsageScope {
  accountId: string;
  mode: Mode;
}

/** Only counts of these; ids are UUIDs. */
export interface UsageFilter {
  sessionId?: string | undefined;
  keyId?: string | undefined;
  userId?: string | undefined;
  statuses?: readonly string[] | undefined;
}

/** The buckets of a range, oldest first, the first and last cut to it. @param zone IANA name */
export async function readBuckets(
  tx: AccountTx,
  { since, until }: Range,
  bucket: Bucket,
  zone: string,
): Promise<Range[]> {
  const rows = await tx.query<{ starts: Date; ends: Date }>(
    'select starts, ends from app.usage_buckets($1, $2, $3, $4)',
    [since, until, bucket, zone],
  );
  return rows.map(({ starts, ends }) => ({ since: starts, until: ends }));
}

const GROUP_COLUMNS: Record<Group, string> = {
  status: 'c.status',
  session: 'c.session_id::text',
  key: 'c.key_id::text',
  user: 'c.user_id::text',
};

export interface CountsQuery extends UsageFilter {
  metric: Metric;
  groupBy?: Group | undefined;
  /** What each bucket is made of. */
  stretches: readonly (Stretches & { bucket: number })[];
}

/** A group's count in a bucket; `group` is null without grouping, and for counts that have no such thing. */
export interface CountRow {
  bucket: number;
  group: string | null;
  count: string;
}

/** Counts of buckets, those that are not empty. `offset 0` keeps each stretch a look into the index of its own. */
export function readCounts(tx: AccountTx, scope: UsageScope, query: CountsQuery): Promise<CountRow[]> {
  const { stretches, groupBy } = query;
  const group = groupBy === undefined ? 'null::text' : GROUP_COLUMNS[groupBy];
  return tx.query<CountRow>(
    `select s.bucket, c."group", sum(c.count)::text as count
     from unnest($1::int[], $2::smallint[], $3::timestamptz[], $4::timestamptz[]) as s (bucket, minutes, since, until)
     cross join lateral (
       select ${group} as "group", c.count from usage_counts c
       where c.account_id = $5 and c.mode = $6 and c.metric = $7
         and c.minutes = s.minutes and c.start >= s.since and c.start < s.until
         and ($8::uuid is null or c.session_id = $8) and ($9::uuid is null or c.key_id = $9)
         and ($10::text[] is null or c.status = any($10)) and ($11::uuid is null or c.user_id = $11)
       offset 0
     ) c group by 1, 2 order by s.bucket, sum(c.count) desc, 2`,
    [
      stretches.map(({ bucket }) => bucket),
      stretches.map(({ minutes }) => minutes),
      stretches.map(({ since }) => since),
      stretches.map(({ until }) => until),
      scope.accountId,
      scope.mode,
      query.metric,
      query.sessionId ?? null,
      query.keyId ?? null,
      query.statuses ?? null,
      query.userId ?? null,
    ],
  );
}
