import type { Clock } from '../../lib/clock.ts';
import type { NewUuid } from '../../lib/ids.ts';
import type { SystemTx } from '../../platform/db/scope.ts';
import type { MirrorRow } from './mirrors.model.ts';
import * as system from './settle.system.ts';
import { type Entitlement, entitlementOf, type Mirror } from './subscription.model.ts';

export interface SettleParts {
  newUuid: NewUuid;
  clock: Pick<Clock, 'now'>;
}

/**
 * Puts an account on what follows from its subscriptions, its trial and the time, and announces it where that is news.
 * @returns what holds now; `undefined` for an account that is gone
 */
export async function settleAccount(
  tx: SystemTx,
  accountId: string,
  { newUuid, clock }: SettleParts,
): Promise<Entitlement | undefined> {
  const standing = await system.lockStanding(tx, accountId);
  if (standing === undefined) return undefined;
  const now = clock.now();
  const sold = standing.base_plan === 'trial';
  const entitlement = entitlementOf({
    mirrors: standing.mirrors.map(mirrorOf),
    trialEndsAt: sold ? standing.trial_ends_at : null,
    freePlan: sold ? 'free' : standing.base_plan,
    now,
  });
  await system.writeEntitlement(tx, accountId, entitlement);
  const { plan, status, until } = entitlement;
  if (plan === standing.plan && status === standing.status) return entitlement;
  const data = { plan, status, until: until?.toISOString() ?? null, previous_plan: standing.plan };
  await system.announceBilling(tx, { id: newUuid(), accountId, type: 'subscription.changed', data, at: now });
  await system.noticePlan(tx, accountId);
  return entitlement;
}

/** A stored subscription as the model knows it. */
export function mirrorOf(row: MirrorRow): Mirror {
  return {
    id: row.id,
    provider: row.provider,
    plan: row.plan,
    position: row.position,
    interval: row.interval,
    status: row.status,
    renews: row.renews,
    currentStart: row.current_start,
    currentEnd: row.current_end,
    cancelAtPeriodEnd: row.cancel_at_period_end,
    endedAt: row.ended_at,
    pastDueSince: row.past_due_since,
    boughtAt: row.bought_at,
  };
}
