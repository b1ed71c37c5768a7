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

export interface ActivityPage extends ActivityFilter {
  limit: number;
  /** UUID of the last request of the page before. */
  after?: string | undefined;
}

/** Newest first. Ids hold their time, by which whole weeks are left out. */
export function listActivity(tx: AccountTx, scope: UsageScope, page: ActivityPage): Promise<ActivityRow[]> {
  const values: unknown[] = [];
  const place = (value: unknown) => `$${values.push(value)}`;
  const conditions = conditionsOf(scope, page, place);
  return tx.query<ActivityRow>(
    `select id, account_id, mode, at, method, route, status, duration_ms, key_id, user_id, host(ip) as ip, user_agent,
       request_id, error_code
     from activity_log where ${conditions.join(' and ')} order by id desc limit ${place(page.limit)}`,
    values,
  );
}

/** Only what is asked for becomes a condition, so that the planner sees which index serves it. */
function conditionsOf(scope: UsageScope, page: ActivityPage, place: (value: unknown) => string): string[] {
  const { status, since, until, after } = page;
  const equal = {
    account_id: scope.accountId,
    mode: scope.mode,
    method: page.method,
    route: page.route,
    // In the words of their index.
    'coalesce(key_id, user_id)': page.keyId ?? page.userId,
    key_id: page.keyId,
    user_id: page.userId,
    request_id: page.requestId,
    error_code: page.errorCode,
    ip: page.ip,
  };
  const conditions = Object.entries(equal)
    .filter(([, value]) => value !== undefined)
    .map(([column, value]) => `${column} = ${place(value)}`);
  // In the words of the index of failures.
  if ((status?.from ?? 0) >= 400) conditions.push('status >= 400');
  if (status !== undefined) conditions.push(`status between ${place(status.from)} and ${place(status.to)}`);
  if (since !== undefined) conditions.push(`id >= app.uuid_floor(${place(since)})`);
  if (until !== undefined) conditions.push(`id < app.uuid_floor(${place(until)})`);
  if (after !== undefined) conditions.push(`id < ${place(after)}`);
  return conditions;
}
