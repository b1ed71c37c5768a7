import { LRUCache } from 'lru-cache';
import type { Mode } from '../../lib/mode.ts';
import type { Database } from '../../platform/db/database.ts';
import type { Notices } from '../../platform/db/notices.ts';
import type { Log } from '../../platform/log/log.ts';
import { PLANS_CHANNEL } from './billing.events.ts';
import { findRequestLimits } from './billing.store.ts';

/** How many requests an account's keys may make a minute together, by its plan. */
export interface PlanLimits {
  /** From memory where it is known, so that most requests wait for nothing. `fallback` where the plan does not say. */
  requestsPerMinute(of: { accountId: string; mode: Mode }, fallback: number): number | Promise<number>;
}

type Limits = { live: number | null; test: number | null };

const NONE: Limits = { live: null, test: null };

const MAX_ACCOUNTS = 50_000;
/** A change of plan is heard of at once; a notice that was lost costs no more than this. */
const KEPT_MS = 60_000;

export async function createPlanLimits(parts: {
  database: Pick<Database, 'accountOnce'>;
  notices: Notices;
  log: Log;
}): Promise<PlanLimits> {
  const { database, notices, log } = parts;
  const kept = new LRUCache<string, Limits>({
    max: MAX_ACCOUNTS,
    ttl: KEPT_MS,
    fetchMethod: async (accountId) => (await database.accountOnce({ accountId }, findRequestLimits)) ?? NONE,
  });
  await notices.listen(PLANS_CHANNEL, (accountId) => {
    if (accountId === undefined) kept.clear();
    else kept.delete(accountId);
  });

  /** Once for all who ask meanwhile; a notice ends a look that is under way. */
  async function load(accountId: string): Promise<Limits> {
    try {
      return (await kept.fetch(accountId)) ?? NONE;
    } catch (error) {
      // Who cannot be looked up is not locked out.
      log.warn({ err: error }, 'plan not read, the usual rate limit holds');
      return NONE;
    }
  }

  return {
    requestsPerMinute({ accountId, mode }, fallback) {
      const known = kept.get(accountId);
      return known ? (known[mode] ?? fallback) : load(accountId).then((limits) => limits[mode] ?? fallback);
    },
  };
}
