import type { z } from 'zod';
import { toId } from '../../lib/ids.ts';
import type { Mode } from '../../lib/mode.ts';
import type { Group } from './usage.model.ts';
import type { seriesView, summaryView } from './usage.schema.ts';
import type { SeriesQuery, UsageBucket, UsageSummary } from './usage.service.ts';

type SeriesView = z.input<typeof seriesView>;

/** A summary as the API shows it. */
export function showSummary(summary: UsageSummary, mode: Mode): z.input<typeof summaryView> {
  const statuses = [...summary.requests];
  const sum = (these: typeof statuses) => these.reduce((total, [, n]) => total + n, 0);
  return {
    since: summary.since.toISOString(),
    until: summary.until.toISOString(),
    mode,
    messages: summary.messages,
    requests: {
      total: sum(statuses),
      succeeded: sum(statuses.filter(([status]) => status < 400)),
      failed: sum(statuses.filter(([status]) => status >= 400)),
      by_status: Object.fromEntries(statuses),
    },
  };
}

/** A series as the API shows it. */
export function showSeries(buckets: readonly UsageBucket[], query: SeriesQuery): SeriesView {
  return {
    metric: query.metric,
    bucket: query.bucket,
    time_zone: query.zone,
    group_by: query.groupBy ?? null,
    since: query.since.toISOString(),
    until: query.until.toISOString(),
    total: buckets.reduce((total, { count }) => total + count, 0),
    data: buckets.map(({ since, until, count, groups }) => ({
      start: since.toISOString(),
      end: until.toISOString(),
      count,
      ...(query.groupBy && { groups: groups.map((group) => showGroup(group, query.groupBy)) }),
    })),
  };
}

const ID_KINDS = { status: undefined, session: 'session', key: 'apiKey', user: 'user' } as const;

function showGroup({ value, count }: UsageBucket['groups'][number], by: Group | undefined) {
  const kind = by && ID_KINDS[by];
  return { value: value !== null && kind ? toId(kind, value) : value, count };
}

/** The lines of an exported series: one a bucket, or one for each of its groups. */
export function seriesLines(series: SeriesView) {
  return series.data.flatMap(({ start, end, count, groups = [{ value: null, count }] }) =>
    groups.map((group) => ({ start, end, group: group.value, count: group.count })),
  );
}
