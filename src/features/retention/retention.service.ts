import type { Context } from '../../platform/context.ts';
import type { Database } from '../../platform/db/database.ts';
import { type AccountScope, bothModes } from '../../platform/db/scope.ts';
import { retentionErrors } from './retention.errors.ts';
import * as store from './retention.store.ts';

/** How long an account keeps what its messages say, in days; 0 stores none. */
export interface RetentionService {
  /** What holds now: the setting, or the plan's limit where that is lower. @throws retention.account_gone */
  contentDays(ctx: Pick<Context, 'accountId'>): Promise<number>;
  /**
   * What is older goes with the next purge, within a day.
   * @throws retention.account_gone, retention.beyond_plan
   */
  keepContent(ctx: AccountScope, days: number): Promise<number>;
}

export function createRetentionService({ database }: { database: Database }): RetentionService {
  const existing = (days: number | undefined): number => {
    if (days === undefined) throw retentionErrors.accountGone();
    return days;
  };
  return {
    contentDays: async ({ accountId }) =>
      existing(await database.accountOnce({ accountId }, store.findContentDays)),

    keepContent: (ctx, days) =>
      database.account(bothModes(ctx), async (tx) => {
        const most = await store.findMostContentDays(tx);
        if (most !== null && days > most) {
          const fields = [{ pointer: '/content_days', detail: `must be at most ${most} on this plan` }];
          throw retentionErrors.beyondPlan({ fields });
        }
        await store.setContentDays(tx, days);
        return existing(await store.findContentDays(tx));
      }),
  };
}
