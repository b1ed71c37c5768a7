import { z } from 'zod';
import type { Clock } from '../../lib/clock.ts';
import { exportAnswer, exportQuery, exportReply } from '../../platform/http/export.ts';
import { defineRoute, type Operation, type Route } from '../../platform/http/route.ts';
import { seriesLines, showSeries, showSummary } from './show-usage.ts';
import { usageErrors } from './usage.errors.ts';
import {
  type Bucket,
  defaultRange,
  fits,
  isOutOfReach,
  LONGEST_DAYS,
  type Range,
  toQuarters,
} from './usage.model.ts';
import * as schema from './usage.schema.ts';
import type { UsageService } from './usage.service.ts';

const read = {
  tag: 'Usage',
  scope: 'usage:read',
  problems: [usageErrors.rangeInvalid],
} satisfies Partial<Operation>;

const seriesQuery = z.strictObject(schema.seriesFields).superRefine(schema.refuseMismatch);

/** What an account used: sums, counts over time, and both for a spreadsheet. */
export function usageRoutes(usage: UsageService, clock: Clock): Route[] {
  return [
    defineRoute({
      ...read,
      method: 'GET',
      path: '/v1/usage/summary',
      operationId: 'getUsageSummary',
      summary: 'Get what was used',
      description: "Sums over a range of time, in the key's mode. Exact, and of this second.",
      query: schema.summaryQuery,
      answers: { 200: { description: 'The sums.', schema: schema.summaryView } },
      handler: async ({ ctx, query }) => {
        const range = rangeOf(query, 'month', clock, 30);
        const { session: sessionId, key: keyId, user: userId } = query;
        const summary = await usage.summary(ctx, { ...range, sessionId, keyId, userId });
        return { status: 200, body: showSummary(summary, ctx.mode) };
      },
    }),
    defineRoute({
      ...read,
      method: 'GET',
      path: '/v1/usage/timeseries',
      operationId: 'getUsageTimeseries',
      summary: 'Get counts over time',
      query: seriesQuery,
      answers: { 200: { description: 'The counts.', schema: schema.seriesView } },
      handler: async ({ ctx, query }) => {
        const wanted = schema.toSeriesQuery(query, rangeOf(query, query.bucket, clock));
        return { status: 200, body: showSeries(await usage.series(ctx, wanted), wanted) };
      },
    }),
    defineRoute({
      ...read,
      method: 'GET',
      path: '/v1/usage/export',
      operationId: 'exportUsage',
      summary: 'Export counts over time',
      description: 'The buckets of the time series as lines, one for each group where it is grouped.',
      query: z.strictObject({ ...schema.seriesFields, ...exportQuery }).superRefine(schema.refuseMismatch),
      answers: { 200: exportAnswer('The counts.') },
      handler: async ({ ctx, query: { format, ...query } }) => {
        const wanted = schema.toSeriesQuery(query, rangeOf(query, query.bucket, clock));
        const series = showSeries(await usage.series(ctx, wanted), wanted);
        const columns = ['start', 'end', 'group', 'count'] as const;
        const pages = onePage(seriesLines(series));
        return exportReply({ format, name: `usage-${query.metric}`, columns, pages });
      },
    }),
  ];
}

async function* onePage<T>(rows: T[]): AsyncGenerator<T[]> {
  yield rows;
}

/** @throws usage.range_invalid */
function rangeOf(
  given: { since?: Date | undefined; until?: Date | undefined },
  bucket: Bucket,
  clock: Clock,
  days?: number,
): Range {
  const range = defaultRange(given, clock.now(), days ?? DEFAULT_DAYS[bucket]);
  const refuse = (detail: string, field: string) => {
    const pointer = given.since === undefined ? '?until' : '?since';
    return usageErrors.rangeInvalid({ detail, fields: [{ pointer, detail: field }] });
  };
  if (range.since >= range.until) {
    throw refuse('`since` must be before `until`.', 'leaves nothing between `since` and `until`');
  }
  if (isOutOfReach(range)) throw refuse('Counts are of 2020 to 2099.', 'is not between 2020 and 2099');
  if (!fits(range, bucket)) {
    const days = LONGEST_DAYS[bucket];
    throw refuse(
      `Buckets of a ${bucket} cover ${days} days at most.`,
      `is more than ${days} days from the other end`,
    );
  }
  return toQuarters(range);
}

const DEFAULT_DAYS: Record<Bucket, number> = { hour: 1, day: 30, month: 365 };
