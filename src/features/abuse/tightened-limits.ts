import type { Mode } from '../../lib/mode.ts';
import type { Database } from '../../platform/db/database.ts';
import type { Notices } from '../../platform/db/notices.ts';
import type { Log } from '../../platform/log/log.ts';
import { RESTRICTED_CHANNEL } from './abuse.events.ts';
import { listRestrictions } from './abuse.system.ts';

/** What part of its limits an account has now. */
export interface TightenedLimits {
  /** 1 where nothing is tightened. Asked for every request. */
  factorOf(accountId: string, mode: Mode): number;
  close(): void;
}

/** Restrictions also end by time, which nobody announces. */
const REFRESH_MS = 15_000;

/** Holds the few accounts whose limits are tightened, told by notices of new ones. While the database is away: the last known. */
export async function openTightenedLimits({
  database,
  notices,
  log,
}: {
  database: Pick<Database, 'systemOnce'>;
  notices: Pick<Notices, 'listen'>;
  log: Log;
}): Promise<TightenedLimits> {
  let factors: ReadonlyMap<string, number> = new Map();
  const load = async () => {
    const rows = await database.systemOnce(listRestrictions);
    factors = new Map(rows.map(({ account_id, mode, factor }) => [`${account_id} ${mode}`, factor]));
  };
  const reload = () =>
    void load().catch((error: unknown) => log.warn({ err: error }, 'tightened limits could not be read'));
  await notices.listen(RESTRICTED_CHANNEL, reload);
  await load();
  const every = setInterval(reload, REFRESH_MS);
  return {
    factorOf: (accountId, mode) => (factors.size === 0 ? 1 : (factors.get(`${accountId} ${mode}`) ?? 1)),
    close: () => clearInterval(every),
  };
}
