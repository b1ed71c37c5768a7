import type { Clock } from '../../lib/clock.ts';
import type { Context } from '../../platform/context.ts';
import type { Database } from '../../platform/db/database.ts';
import type { Found } from '../../platform/http/page.ts';
import type { ActivityRow } from './activity.model.ts';
import type { ActivityFilter } from './activity.store.ts';
import { type ActivitySearch, type SearchPace, searchActivity } from './search-activity.ts';

/** Rows that an export reads at once. */
const EXPORT_PAGE = 2_000;

/** Some milliseconds for the first steps, some tens for the largest. */
const PACE: SearchPace = { firstStep: 1_000, largestStep: 25_000, ms: 300 };

/** Looking at the log of an account's requests. */
export interface ActivityService {
  /** Newest first. May find less than was asked for, or nothing, although there is more: then it can go on. */
  list(ctx: Context, search: ActivitySearch): Promise<Found<ActivityRow>>;
  /** Everything, newest first, page by page as they are asked for, each in a short transaction of its own. */
  all(ctx: Context, filter: ActivityFilter): AsyncGenerator<readonly ActivityRow[]>;
}

interface ActivityServiceParts {
  database: Pick<Database, 'account'>;
  clock: Pick<Clock, 'now'>;
  /** Default {@link PACE}. */
  pace?: SearchPace;
}

export function createActivityService({
  database,
  clock,
  pace = PACE,
}: ActivityServiceParts): ActivityService {
  const list: ActivityService['list'] = (ctx, search) =>
    database.account(ctx, (tx) => searchActivity(tx, ctx, search, { clock, pace }));
  return {
    list,
    async *all(ctx, filter) {
      let after: string | undefined;
      do {
        const { rows, next } = await list(ctx, { filter, limit: EXPORT_PAGE, after });
        if (rows.length > 0) yield rows;
        after = next;
      } while (after !== undefined);
    },
  };
}
