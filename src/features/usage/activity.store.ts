import type { AccountTx } from '../../platform/db/scope.ts';
import type { ActivityRow } from './activity.model.ts';
import type { UsageScope } from './usage.store.ts';

/** Which requests; ids are UUIDs. */
export interface ActivityFilter {
  method?: string | undefined;
  /** The route's pattern. */
  route?: string | undefined;
  /** HTTP status, both ends included. */
  status?: { from: number; to: number } | undefined;
  keyId?: string | undefined;
  userId?: string | undefined;
  requestId?: string | undefined;
  errorCode?: string | undefined;
  ip?: string | undefined;
  since?: Date | undefined;
  until?: Date | undefined;
}

/** The log's indexes after account and mode, by their last column before the id. */
const PATHS = {
  every: { column: 'mode', type: 'text' },
  key: { column: 'key_id', type: 'uuid' },
  user: { column: 'user_id', type: 'uuid' },
  route: { column: 'route', type: 'text' },
  request: { column: 'request_id', type: 'text' },
  error: { column: 'error_code', type: 'text' },
  ip: { column: 'ip', type: 'inet' },
  /** By method and status. */
  answer: { column: 'status', type: 'smallint' },
} as const;

/** An index by which requests are found, newest first for each of the values that are looked for. */
export interface ActivityPath {
  by: keyof typeof PATHS;
  values: readonly (string | number)[];
  /** Of `answer`: the method that goes with each status. */
  methods?: readonly string[];
}

/** Entries of a path to look at: at most so many for each value, from below an id. */
export interface Stretch {
  path: ActivityPath;
  most: number;
  below: string;
}

/**
 * The next entries of a path, in SQL. Their order is one that no other index has, and {@link keepToPaths} forbids to
 * sort: so the planner cannot choose an index in which it would pass over any number of other entries. Values are
 * compared by `<` and `>=` because the order by a column that is known to equal something would count for nothing.
 */
function entriesOf(scope: UsageScope, { path, below }: Stretch, place: Place, bounds: string): string {
  const { column, type } = PATHS[path.by];
  const isAnswer = path.by === 'answer';
  const values = `${place(path.values)}::${type}[]`;
  const groups = isAnswer
    ? `unnest(${values}, ${place(path.methods)}::text[]) as v (value, method)`
    : `unnest(${values}) as v (value)`;
  const from = place(below);
  const conditions = [
    `account_id = ${place(scope.accountId)}`,
    ...(path.by === 'every' ? [] : [`mode = ${place(scope.mode)}`]),
    ...(isAnswer ? ['method = v.method'] : []),
    `${column} >= v.value and (${column}, id) < (v.value, ${from})`,
    // Leaves out weeks.
    `id < ${from}`,
  ];
  return `${groups} cross join lateral (
    select * from activity_log where ${conditions.join(' and ')} order by ${column} desc, id desc ${bounds}) e`;
}

type Place = (value: unknown) => string;

/** Parameters of a statement, and the function that adds one and names its place. */
function parameters(): [values: unknown[], place: Place] {
  const values: unknown[] = [];
  return [values, (value) => `$${values.push(value)}`];
}

/** For the rest of the transaction. There is one way to run these statements, so one plan will do. */
export async function keepToPaths(tx: AccountTx): Promise<void> {
  await tx.query(`select set_config('enable_sort', 'off', true), set_config('enable_incremental_sort', 'off', true),
    set_config('plan_cache_mode', 'force_generic_plan', true)`);
}

/** The last entry of a stretch that has as many as it may: from there on it holds every entry of its path. In SQL. */
function reachOf(scope: UsageScope, stretch: Stretch, place: Place): string {
  const last = entriesOf(scope, stretch, place, `offset ${place(stretch.most - 1)} limit 1`);
  return `select e.id from ${last} order by e.id desc limit 1`;
}

/** How far back a stretch reaches. @returns an id; `undefined` where it holds all that its path has */
export async function findReach(
  tx: AccountTx,
  scope: UsageScope,
  stretch: Stretch,
): Promise<string | undefined> {
  const [values, place] = parameters();
  const [row] = await tx.query<{ id: string }>(reachOf(scope, stretch, place), values);
  return row?.id;
}

interface ReadStretch {
  /** Those that match, newest first. */
  rows: ActivityRow[];
  /** As of {@link findReach}, at the same instant, so that nothing is passed over that is written meanwhile. */
  reach: string | undefined;
}

/**
 * Reads a stretch. There is one text for every filter, so that few are kept prepared.
 * @param from the oldest id that counts
 * @param limit most rows
 */
export async function readStretch(
  tx: AccountTx,
  scope: UsageScope,
  stretch: Stretch & { from: string; limit: number },
  filter: ActivityFilter,
): Promise<ReadStretch> {
  const [values, place] = parameters();
  const reach = reachOf(scope, stretch, place);
  const entries = entriesOf(scope, stretch, place, `limit ${place(stretch.most)}`);
  const conditions = conditionsOf(filter, place).join(' and ');
  const found = await tx.query<{ reach: string | null } & (ActivityRow | { id: null })>(
    `with reached as materialized (select (${reach}) as id)
     select r.id as reach, e.* from reached r left join lateral (
       select e.id, e.account_id, e.mode, e.at, e.method, e.route, e.status, e.duration_ms, e.key_id, e.user_id,
         host(e.ip) as ip, e.user_agent, e.request_id, e.error_code
       from ${entries} where e.id >= greatest(r.id, ${place(stretch.from)}) and ${conditions}
       order by e.id desc limit ${place(stretch.limit)}
     ) e on true order by e.id desc`,
    values,
  );
  return { rows: found.filter((row) => row.id !== null), reach: found[0]?.reach ?? undefined };
}

function conditionsOf(filter: ActivityFilter, place: Place): string[] {
  const equal = (column: string, type: string, value: string | undefined) => {
    const wanted = `${place(value ?? null)}::${type}`;
    return `(${wanted} is null or e.${column} = ${wanted})`;
  };
  return [
    equal('method', 'text', filter.method),
    equal('route', 'text', filter.route),
    equal('key_id', 'uuid', filter.keyId),
    equal('user_id', 'uuid', filter.userId),
    equal('request_id', 'text', filter.requestId),
    equal('error_code', 'text', filter.errorCode),
    equal('ip', 'inet', filter.ip),
    `e.status between ${place(filter.status?.from ?? 0)} and ${place(filter.status?.to ?? 999)}`,
  ];
}

/** The pairs of method and status that the account's log has, of those that are wanted: from each to the next. */
export function findAnswers(
  tx: AccountTx,
  { accountId, mode }: UsageScope,
  { method, status }: Pick<ActivityFilter, 'method' | 'status'>,
): Promise<{ method: string; status: number }[]> {
  return tx.query<{ method: string; status: number }>(
    `with recursive answers as (
       (select method, status from activity_log where account_id = $1 and mode = $2 order by method, status limit 1)
       union all
       select next.method, next.status from answers a cross join lateral (
         select method, status from activity_log
         where account_id = $1 and mode = $2 and (method, status) > (a.method, a.status)
         order by method, status limit 1
       ) next
     ) select method, status from answers where ($3::text is null or method = $3) and status between $4 and $5`,
    [accountId, mode, method ?? null, status?.from ?? 0, status?.to ?? 999],
  );
}
