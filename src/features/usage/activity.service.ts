import type { Clock } from '../../lib/clock.ts';
import type { Context } from '../../platform/context.ts';
import type { Database } from '../../platform/db/database.ts';
import type { ActivityRow } from './activity.model.ts';
import { type ActivityFilter, type ActivityPage, listActivity } from './activity.store.ts';

/** Rows that an export reads at once. */
const EXPORT_PAGE = 2_000;

/** Looking at the log of an account's requests. */
export interface ActivityService {
  /** Newest first. */
  list(ctx: Context, page: ActivityPage): Promise<ActivityRow[]>;
  /** Everything, newest first, page by page as they are asked for, each in a short transaction of its own. */
  all(ctx: Context, filter: ActivityFilter): AsyncGenerator<ActivityRow[]>;
}

export function createActivityService({
  database,
  clock,
}: {
  database: Database;
  clock: Clock;
}): ActivityService {
  const list = (ctx: Context, page: ActivityPage) => {
    const since = page.since ?? earliestOf(page, clock.now());
    return database.accountOnce(ctx, (tx) => listActivity(tx, ctx, { ...page, since }));
  };
  return {
    list,
    async *all(ctx, filter) {
      let after: string | undefined;
      for (;;) {
        const rows = await list(ctx, { ...filter, limit: EXPORT_PAGE, after });
        if (rows.length > 0) yield rows;
        after = rows.at(-1)?.id;
        if (rows.length < EXPORT_PAGE) return;
      }
    },
  };
}

const SEARCH_MS = 86_400_000;

/** How far back is searched by what no index helps to find: so that one rare address does not read the whole log. */
function earliestOf(filter: ActivityFilter, now: Date): Date | undefined {
  const { method, ip, until = now } = filter;
  const searches = method !== undefined || ip !== undefined;
  return searches && !isIndexed(filter) ? new Date(until.getTime() - SEARCH_MS) : undefined;
}

function isIndexed({ keyId, userId, route, requestId, errorCode, status }: ActivityFilter): boolean {
  if ((status?.from ?? 0) >= 400) return true;
  return [keyId, userId, route, requestId, errorCode].some((value) => value !== undefined);
}
