import type { Clock } from '../../lib/clock.ts';
import { HIGHEST_UUID, LOWEST_UUID, uuidFloor } from '../../lib/ids.ts';
import type { AccountTx } from '../../platform/db/scope.ts';
import type { Found } from '../../platform/http/page.ts';
import type { ActivityRow } from './activity.model.ts';
import {
  type ActivityFilter,
  type ActivityPath,
  findAnswers,
  findReach,
  keepToPaths,
  readStretch,
  type Stretch,
} from './activity.store.ts';
import type { UsageScope } from './usage.store.ts';

export interface ActivitySearch {
  filter: ActivityFilter;
  /** Most rows. */
  limit: number;
  /** UUID that the search goes on below. */
  after?: string | undefined;
}

/** How much a search looks at before it answers with what it has. */
export interface SearchPace {
  /** Entries of the first step. Each step after it takes five times as many, up to the largest. */
  firstStep: number;
  largestStep: number;
  /** No step begins later than so many milliseconds after the first. */
  ms: number;
}

const GROWTH = 5;
/** Which index is best is judged by a part of a step. */
const SAMPLE = 5;

/**
 * Finds requests, newest first. What one index holds is read from it. Otherwise the search goes back step by step, each
 * in the index that reaches furthest back with so many entries, which is the one of the rarest value thereabouts; so a
 * page costs a bounded number of entries, whatever the log's length and whatever is asked for.
 */
export async function searchActivity(
  tx: AccountTx,
  scope: UsageScope,
  search: ActivitySearch,
  { clock, pace }: { clock: Pick<Clock, 'now'>; pace: SearchPace },
): Promise<Found<ActivityRow>> {
  const { filter, limit } = search;
  const started = clock.now().getTime();
  const kept = keepToPaths(tx);
  const [paths] = await Promise.all([pathsOf(tx, scope, filter), kept]);
  const [only, ...others] = paths;
  if (only === undefined) return { rows: [], next: undefined };
  const from = filter.since === undefined ? LOWEST_UUID : uuidFloor(filter.since);
  const read = (stretch: Stretch, wanted: number) =>
    readStretch(tx, scope, { ...stretch, from, limit: wanted }, filter);

  let below = startOf(search);
  if (others.length === 0) {
    return lastPage((await read({ path: only, most: limit + 1, below }, limit + 1)).rows, limit);
  }
  const rows: ActivityRow[] = [];
  for (let most = pace.firstStep; ; most = Math.min(most * GROWTH, pace.largestStep)) {
    const path = await rarest(tx, scope, paths, { below, most: Math.ceil(most / SAMPLE) });
    const step = await read(shareOf(path, { below, most }), limit + 1 - rows.length);
    rows.push(...step.rows);
    if (rows.length > limit || step.reach === undefined || step.reach <= from) return lastPage(rows, limit);
    if (clock.now().getTime() - started >= pace.ms) return { rows, next: step.reach };
    below = step.reach;
  }
}

function startOf({ filter: { until }, after = HIGHEST_UUID }: ActivitySearch): string {
  const end = until === undefined ? HIGHEST_UUID : uuidFloor(until);
  return after < end ? after : end;
}

/** Of a search that need not go on: there is more where it found more than was asked for. */
function lastPage(found: ActivityRow[], limit: number): Found<ActivityRow> {
  const rows = found.slice(0, limit);
  return { rows, next: found.length > limit ? rows.at(-1)?.id : undefined };
}

/** The path that reaches furthest back with so many entries. */
async function rarest(
  tx: AccountTx,
  scope: UsageScope,
  paths: readonly ActivityPath[],
  sample: Omit<Stretch, 'path'>,
): Promise<ActivityPath> {
  const reaches = await Promise.all(
    paths.map(async (path) => ({ path, reach: await findReach(tx, scope, shareOf(path, sample)) })),
  );
  return reaches.reduce((best, other) => ((other.reach ?? '') < (best.reach ?? '') ? other : best)).path;
}

/** So many entries in all, which the values of a path share. */
function shareOf(path: ActivityPath, { below, most }: Omit<Stretch, 'path'>): Stretch {
  return { path, below, most: Math.ceil(most / path.values.length) };
}

/** The indexes that help to find what is asked for; none where there can be no such request. */
async function pathsOf(tx: AccountTx, scope: UsageScope, filter: ActivityFilter): Promise<ActivityPath[]> {
  const { keyId, userId, method, status } = filter;
  if (keyId !== undefined && userId !== undefined) return [];
  const paths: ActivityPath[] = [];
  const add = (by: ActivityPath['by'], value: string | undefined) => {
    if (value !== undefined) paths.push({ by, values: [value] });
  };
  add('request', filter.requestId);
  add('error', filter.errorCode);
  add('ip', filter.ip);
  add('key', keyId);
  add('user', userId);
  add('route', filter.route);
  if (method !== undefined || status !== undefined) {
    const answers = await findAnswers(tx, scope, filter);
    if (answers.length === 0) return [];
    const methods = answers.map((answer) => answer.method);
    paths.push({ by: 'answer', values: answers.map((answer) => answer.status), methods });
    // Of many answers that are common each stretch would hold few.
    if (paths.length === 1 && answers.length > 1) add('every', scope.mode);
  }
  if (paths.length === 0) add('every', scope.mode);
  return paths;
}
