import { backoffDelay } from '../../lib/backoff.ts';
import type { Mode } from '../../lib/mode.ts';
import { WakeSignal } from '../../lib/wake-signal.ts';
import type { Context } from '../../platform/context.ts';
import type { AccountCipher, Vault } from '../../platform/crypto/vault.ts';
import type { Database } from '../../platform/db/database.ts';
import { isUnavailable } from '../../platform/db/db.errors.ts';
import type { Log } from '../../platform/log/log.ts';
import { type Check, claimChecks, postponeCheck } from './checks.system.ts';
import { enabledTriggers } from './firing.store.ts';
import { type Look, type LookParts, lookAtMessage, type ReceivedMessage } from './look-at-message.ts';
import { LookPace } from './look-pace.ts';
import type { TriggerMetrics } from './trigger-metrics.ts';
import type { TriggerRow } from './triggers.model.ts';

export interface ChecksParts extends Omit<LookParts, 'database'> {
  database: Database;
  vault: Pick<Vault, 'of'>;
  mode: Mode;
  log: Log;
  metrics: TriggerMetrics;
  /** In [0, 1). */
  random: () => number;
  /** How long a claim lasts, in milliseconds: longer than a reply URL may take. */
  leaseMs: number;
  /** Messages of one account that are dealt with at once. */
  concurrency: number;
  /** Messages as they are now, by UUID; those that are gone are absent. */
  loadMessages: (ctx: Context, ids: readonly string[]) => Promise<ReadonlyMap<string, ReceivedMessage>>;
  /** Ends a check at which nothing fired. */
  end: (check: Check) => Promise<void>;
  /** How many more messages the process may deal with at once. */
  room: () => number;
  /** There is more room than a moment ago. */
  onRoom: () => void;
}

/** Looks, tries included, before a message is given up: it takes down what looks at it, or cannot be read. */
const MOST_ATTEMPTS = 6;
const RETRY = { baseMs: 1_000, maxMs: 15_000 };
const MOST_CLAIMED = 100;

/** What the checks of one claim have in common. */
interface Claimed {
  triggers: readonly TriggerRow[];
  cipher: AccountCipher;
  load: (id: string) => Promise<ReceivedMessage | undefined>;
}

/** Deals with the waiting messages of one account until there are none. */
export class AccountChecks {
  readonly #parts: ChecksParts;
  readonly #ctx: Context;
  readonly #wake = new WakeSignal();
  readonly #work = new Set<Promise<void>>();
  readonly #pace: LookPace;
  #hasNews = true;

  constructor(parts: ChecksParts, accountId: string) {
    const { mode, log, leaseMs } = parts;
    this.#parts = parts;
    this.#pace = new LookPace(leaseMs);
    const actor = { type: 'system', name: 'triggers' } as const;
    this.#ctx = { accountId, mode, actor, scopes: new Set(), requestId: '', log };
  }

  /** Messages that are being dealt with. */
  get load(): number {
    return this.#work.size;
  }

  /** Whether somebody called `wake` after the last look. */
  get hasNews(): boolean {
    return this.#hasNews;
  }

  /** There may be something new, or room. */
  wake(): void {
    this.#hasNews = true;
    this.#wake.raise();
  }

  /**
   * @param stop takes up nothing more
   * @param giveUp ends questions to customers' servers, too
   * @throws what the database throws while nothing can be claimed; a sweep finds what is left
   */
  async run(stop: AbortSignal, giveUp: AbortSignal): Promise<void> {
    try {
      while (!stop.aborted && (this.#hasNews || this.#work.size > 0)) {
        if (!this.#hasNews) await this.#wake.wait(stop);
        this.#hasNews = false;
        await this.#claim(stop, giveUp);
      }
    } finally {
      while (this.#work.size > 0) await Promise.all(this.#work);
    }
  }

  async #claim(stop: AbortSignal, giveUp: AbortSignal): Promise<void> {
    const { database, mode, leaseMs, concurrency, room } = this.#parts;
    const limit = Math.min(MOST_CLAIMED, concurrency - this.#work.size, room(), this.#pace.room);
    if (limit <= 0 || stop.aborted) return;
    const claim = { accountId: this.#ctx.accountId, mode, limit, leaseMs };
    const checks = await database.systemOnce((tx) => claimChecks(tx, claim));
    if (checks.length === 0) return;
    const claimed = this.#prepare(checks);
    claimed.catch(() => undefined);
    for (const check of checks) {
      const compared = this.#pace.begin();
      const onCompared = (cpuMs: number) => {
        const wasFull = this.#pace.room <= 0;
        compared(cpuMs);
        if (wasFull) this.wake();
      };
      this.#track(this.#deal(check, { claimed, onCompared }, giveUp).finally(compared));
    }
  }

  async #prepare(checks: readonly Check[]): Promise<Claimed> {
    const { database, vault } = this.#parts;
    const [triggers, cipher, load] = await Promise.all([
      database.accountOnce(this.#ctx, enabledTriggers),
      vault.of(this.#ctx.accountId),
      this.#load(checks.flatMap(({ isMute, messageId }) => (isMute ? [] : [messageId]))),
    ]);
    return { triggers, cipher, load };
  }

  /** All in one; where one of them cannot be opened, each by itself. */
  async #load(ids: readonly string[]): Promise<Claimed['load']> {
    const { loadMessages } = this.#parts;
    try {
      const found =
        ids.length === 0 ? new Map<string, ReceivedMessage>() : await loadMessages(this.#ctx, ids);
      return async (id) => found.get(id);
    } catch (error) {
      if (isUnavailable(error)) throw error;
      return async (id) => (await loadMessages(this.#ctx, [id])).get(id);
    }
  }

  async #deal(
    check: Check,
    { claimed, onCompared }: { claimed: Promise<Claimed>; onCompared: Look['onCompared'] },
    giveUp: AbortSignal,
  ): Promise<void> {
    const { metrics, log, random, end } = this.#parts;
    const { messageId, attempt } = check;
    const started = performance.now();
    const ended = (outcome: 'fired' | 'passed' | 'given_up') =>
      metrics.looked(outcome, check.waitedMs + performance.now() - started);
    try {
      if (attempt > MOST_ATTEMPTS) {
        log.error({ messageId, attempt }, 'triggers: a message is given up');
        await end(check);
        return ended('given_up');
      }
      const { load, ...shared } = await claimed;
      const look = {
        ...shared,
        ctx: this.#ctx,
        check,
        onCompared,
        message: check.isMute ? undefined : await load(messageId),
      };
      const outcome = await lookAtMessage(this.#parts, look, giveUp);
      if (outcome === 'lost') return;
      if (outcome === 'stale') return await this.#putOff(check, 0);
      if (outcome === 'passed') await end(check);
      else metrics.replied(outcome.reply);
      ended(outcome === 'passed' ? 'passed' : 'fired');
    } catch (err) {
      // The process goes: another one takes it at once.
      if (giveUp.aborted) return this.#putOff(check, 0);
      log.warn({ err, messageId, attempt }, 'triggers: a message was not dealt with, trying again');
      await this.#putOff(check, backoffDelay(attempt, RETRY, random));
    }
  }

  async #putOff(check: Check, delayMs: number): Promise<void> {
    const { database, log } = this.#parts;
    try {
      await database.systemOnce((tx) => postponeCheck(tx, check, delayMs));
    } catch (err) {
      log.debug({ err, messageId: check.messageId }, 'triggers: not put off; its claim will run out');
    }
  }

  #track(work: Promise<void>): void {
    const tracked: Promise<void> = work
      .catch((err: unknown) => this.#parts.log.error({ err }, 'triggers: dealing with a message broke'))
      .finally(() => {
        this.#work.delete(tracked);
        // Its sender may have written more.
        this.wake();
        this.#parts.onRoom();
      });
    this.#work.add(tracked);
  }
}
