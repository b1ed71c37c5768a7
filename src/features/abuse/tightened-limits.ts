import type { Clock } from '../../lib/clock.ts';
import type { Mode } from '../../lib/mode.ts';
import { WakeSignal } from '../../lib/wake-signal.ts';
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

export interface TightenedLimitsParts {
  database: Pick<Database, 'systemOnce'>;
  notices: Pick<Notices, 'listen'>;
  clock: Clock;
  log: Log;
}

/** Limits that were prolonged, which nobody announces, and those whose notice was lost. */
const REFRESH_MS = 15_000;
/** From one look-up to the next, however many notices come: a tightened limit holds within two seconds. */
const PAUSE_MS = 1_500;

/** A part of its limits that an account has until `until`, in milliseconds of the clock. */
interface Limit {
  factor: number;
  until: number;
}

/**
 * Holds the few accounts whose limits are tightened, told by notices of changes; they end by the clock. While the
 * database is away: the last known.
 */
export async function openTightenedLimits(parts: TightenedLimitsParts): Promise<TightenedLimits> {
  const { notices, clock } = parts;
  const [wake, stop] = [new WakeSignal(), new AbortController()];
  const held = { limits: new Map<string, Limit[]>() };
  await notices.listen(RESTRICTED_CHANNEL, () => wake.raise());
  held.limits = await load(parts);
  const every = setInterval(() => wake.raise(), REFRESH_MS);
  void follow(parts, held, wake, stop.signal);
  return {
    factorOf(accountId, mode) {
      if (held.limits.size === 0) return 1;
      const now = clock.now().getTime();
      const limits = held.limits.get(`${accountId} ${mode}`)?.filter(({ until }) => until > now) ?? [];
      return Math.min(1, ...limits.map(({ factor }) => factor));
    },
    close() {
      clearInterval(every);
      stop.abort();
    },
  };
}

/** Loads after notices: the first at once, then one for all that came during the pause. */
async function follow(
  parts: TightenedLimitsParts,
  held: { limits: Map<string, Limit[]> },
  wake: WakeSignal,
  signal: AbortSignal,
): Promise<void> {
  const { clock, log } = parts;
  for (;;) {
    await wake.wait(signal);
    if (signal.aborted) return;
    const pause = clock.sleep(PAUSE_MS, signal).catch(() => undefined);
    try {
      held.limits = await load(parts);
    } catch (error) {
      log.warn({ err: error }, 'tightened limits could not be read');
    }
    await pause;
  }
}

async function load({ database, clock }: TightenedLimitsParts): Promise<Map<string, Limit[]>> {
  const rows = await database.systemOnce(listRestrictions);
  const now = clock.now().getTime();
  const limits = new Map<string, Limit[]>();
  for (const { account_id, mode, factor, seconds } of rows) {
    const name = `${account_id} ${mode}`;
    limits.set(name, [...(limits.get(name) ?? []), { factor, until: now + seconds * 1_000 }]);
  }
  return limits;
}
