import type { Context } from '../../platform/context.ts';
import type { Database } from '../../platform/db/database.ts';
import { type AccountScope, bothModes } from '../../platform/db/scope.ts';
import { retentionErrors } from './retention.errors.ts';
import * as store from './retention.store.ts';

/** How long an account keeps what its messages say. */
export interface RetentionService {
  /** What holds now: the setting, or the plan's limit where that is lower. @throws retention.account_gone */
  keptContent(ctx: Pick<Context, 'accountId'>): Promise<store.KeptContent>;
  /**
   * What is older goes with the next purge, within a day. `days` of 0 stores no contents.
   * @throws retention.account_gone, retention.beyond_plan
   */
  keepContent(ctx: AccountScope, days: number): Promise<store.KeptContent>;
}

export function createRetentionService({ database }: { database: Database }): RetentionService {
  const existing = (kept: store.KeptContent | undefined): store.KeptContent => {
    if (kept === undefined) throw retentionErrors.accountGone();
    return kept;
  };
  return {
    keptContent: async ({ accountId }) =>
      existing(await database.accountOnce({ accountId }, store.findKeptContent)),

    keepContent: (ctx, days) =>
      database.account(bothModes(ctx), async (tx) => {
        const most = await store.findMostContentDays(tx);
        if (most !== null && days > most) {
          const fields = [{ pointer: '/content_days', detail: `must be at most ${most} on this plan` }];
          throw retentionErrors.beyondPlan({ fields });
        }
        await store.setContentDays(tx, days);
        return existing(await store.findKeptContent(tx));
      }),
  };
}
