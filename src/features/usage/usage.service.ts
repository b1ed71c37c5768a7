import type { Context } from '../../platform/context.ts';
import type { Database } from '../../platform/db/database.ts';
import type { AccountTx } from '../../platform/db/scope.ts';
import { requestErrors } from '../../platform/http/http.errors.ts';
import { catchUp } from './count-messages.ts';
import {
  type Bucket,
  type CountedStatus,
  coverOf,
  type Group,
  isCountedStatus,
  type Metric,
  ONCE_A_MESSAGE,
  type Range,
  toQuarters,
} from './usage.model.ts';
import { readBuckets, readCounts } from './usage.store.ts';

/** What was used in a range. */
export interface UsageSummary extends Range {
  messages: Record<CountedStatus, number>;
  /** Requests by HTTP status. */
  requests: Map<number, number>;
}

/** Which sums are wanted; ids are UUIDs. */
export interface SummaryQuery extends Range {
  sessionId?: string | undefined;
  keyId?: string | undefined;
  userId?: string | undefined;
}

/** Which counts over time are wanted; ids are UUIDs. */
export interface SeriesQuery extends Range {
  metric: Metric;
  bucket: Bucket;
  /** IANA name. */
  zone: string;
  groupBy?: Group | undefined;
  sessionId?: string | undefined;
  keyId?: string | undefined;
  userId?: string | undefined;
  status?: string | undefined;
}

/** A bucket of a series. */
export interface UsageBucket extends Range {
  /** Of messages each is counted once, unless one status is asked for. */
  count: number;
  /** Largest first; `value` is a status or a UUID, null for what has none. One without a value where nothing groups. */
  groups: { value: string | null; count: number }[];
}

/** What an account used, from counts that are kept with every request and every fact about a message. */
export interface UsageService {
  /** Sums; the range is widened to whole quarters of an hour. */
  summary(ctx: Context, query: SummaryQuery): Promise<UsageSummary>;
  /**
   * Counts over time, oldest first, empty buckets included; the range is widened as above.
   * @throws request.invalid for a time zone that Postgres does not know
   */
  series(ctx: Context, query: SeriesQuery): Promise<UsageBucket[]>;
}

export function createUsageService({ database }: { database: Database }): UsageService {
  return {
    async summary(ctx, query) {
      await catchUp(database, ctx);
      return database.account(ctx, (tx) => readSummary(tx, ctx, { ...query, ...toQuarters(query) }));
    },

    async series(ctx, query) {
      if (query.metric === 'messages') await catchUp(database, ctx);
      const whole = { ...query, ...toQuarters(query) };
      return database.account(ctx, (tx) => readSeries(tx, ctx, whole)).catch(blameZone);
    },
  };
}

async function readSummary(
  tx: AccountTx,
  ctx: Context,
  { since, until, ...filter }: SummaryQuery,
): Promise<UsageSummary> {
  const stretches = coverOf({ since, until }).map((part) => ({ ...part, bucket: 0 }));
  const read = (metric: Metric) => readCounts(tx, ctx, { ...filter, metric, groupBy: 'status', stretches });
  const [messages, requests] = await Promise.all([read('messages'), read('requests')]);
  const summary: UsageSummary = { since, until, messages: { ...NOTHING }, requests: new Map() };
  for (const { group, count } of messages) {
    if (group !== null && isCountedStatus(group)) summary.messages[group] = Number(count);
  }
  for (const { group, count } of requests) summary.requests.set(Number(group), Number(count));
  return summary;
}

async function readSeries(tx: AccountTx, ctx: Context, query: SeriesQuery): Promise<UsageBucket[]> {
  const { metric, groupBy, status, sessionId, keyId, userId } = query;
  const ranges = await readBuckets(tx, query, query.bucket, query.zone);
  const stretches = ranges.flatMap((range, bucket) => coverOf(range).map((part) => ({ ...part, bucket })));
  const once = metric === 'messages' && status === undefined ? ONCE_A_MESSAGE : undefined;
  const statuses = status === undefined ? (groupBy === 'status' ? undefined : once) : [status];
  const rows = await readCounts(tx, ctx, { metric, groupBy, stretches, sessionId, keyId, userId, statuses });

  const buckets = ranges.map((range): UsageBucket => ({ ...range, count: 0, groups: [] }));
  for (const { bucket: index, group: value, count: text } of rows) {
    const bucket = buckets[index];
    const count = Number(text);
    bucket?.groups.push({ value, count });
    const adds = groupBy !== 'status' || once === undefined || once.some((counted) => counted === value);
    if (bucket && adds) bucket.count += count;
  }
  return buckets;
}

/** Postgres may know fewer time zones than Node. @throws request.invalid where that is it, otherwise what it is given */
function blameZone(error: unknown): never {
  const isUnknown = error instanceof Error && 'code' in error && error.code === INVALID_PARAMETER_VALUE;
  if (!isUnknown) throw error;
  const fields = [{ pointer: '?time_zone', detail: 'is not the name of a time zone that is known here' }];
  throw requestErrors.invalid({ fields, cause: error });
}

const INVALID_PARAMETER_VALUE = '22023';

const NOTHING: Record<CountedStatus, number> = {
  queued: 0,
  sent: 0,
  delivered: 0,
  read: 0,
  played: 0,
  failed: 0,
  received: 0,
};
