import { setMaxListeners } from 'node:events';
import { createBatchWriter } from '../../lib/batch-writer.ts';
import { isUnavailable } from '../../platform/db/db.errors.ts';
import { AccountChecks, type ChecksParts } from './account-checks.ts';
import { type Check, endChecks, findWaiting } from './checks.system.ts';
import { createFindTrigger } from './find-trigger.ts';

/** How triggers are run; every time in milliseconds. */
export interface TriggerTimings {
  /** How long a message is this process's alone. Must be longer than `timeoutMs` and a few statements. */
  leaseMs: number;
  /** How often accounts are looked for whose messages wait. */
  sweepMs: number;
  /** For one question to a reply URL, from the name to the last byte of the answer. */
  timeoutMs: number;
  /** Messages of one account, and of all accounts, that this process deals with at once. Most wait for reply URLs. */
  concurrency: number;
  most: number;
  /** At shutdown: how long reply URLs may still take. */
  finishMs: number;
}

export const TRIGGER_TIMINGS: TriggerTimings = {
  leaseMs: 20_000,
  sweepMs: 3_000,
  timeoutMs: 5_000,
  concurrency: 100,
  most: 1_000,
  finishMs: 2_000,
};

export interface TriggerRunnerParts
  extends Omit<ChecksParts, 'find' | 'end' | 'room' | 'onRoom' | 'leaseMs' | 'timeoutMs' | 'concurrency'> {
  timings: TriggerTimings;
  /** What this process has taken of the processor, in milliseconds. */
  cpuMs: () => number;
}

const END_BATCH = 200;

/**
 * Looks at received messages of its mode with the triggers of their accounts. Accounts are independent of each other, and
 * so are the senders of an account; one sender's messages are dealt with in order. Rows in `trigger_checks` are the truth:
 * waking is a hint, and a sweep finds what a hint or a killed process left.
 */
export class TriggerRunner {
  readonly #parts: TriggerRunnerParts;
  readonly #accounts = new Map<string, AccountChecks>();
  readonly #runs = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  readonly #giveUp = new AbortController();
  readonly #checksParts: ChecksParts;
  #sweeping: Promise<void> = Promise.resolve();

  constructor(parts: TriggerRunnerParts) {
    const { timings, database } = parts;
    this.#parts = parts;
    const ender = createBatchWriter<Check, true>({
      maxSize: END_BATCH,
      writeBatch: async (checks) => {
        await database.systemOnce((tx) => endChecks(tx, checks));
        return checks.map(() => true);
      },
      isFaultOfItems: (error) => !isUnavailable(error),
    });
    this.#checksParts = {
      ...parts,
      ...timings,
      find: createFindTrigger(parts.cpuMs),
      end: async (check) => void (await ender.write(check)),
      room: () => timings.most - this.#load(),
      onRoom: () => this.#offerRoom(),
    };
    // Every account at work and every question under way listens.
    setMaxListeners(0, this.#stop.signal, this.#giveUp.signal);
  }

  /** Begins to sweep. */
  start(): void {
    this.#sweeping = this.#sweepLoop();
  }

  /** The account has messages that wait. Returns at once. */
  wake(accountId: string): void {
    if (this.#stop.signal.aborted) return;
    const known = this.#accounts.get(accountId);
    if (known !== undefined) return known.wake();
    const checks = new AccountChecks(this.#checksParts, accountId);
    this.#accounts.set(accountId, checks);
    const run: Promise<void> = this.#run(accountId, checks).finally(() => this.#runs.delete(run));
    this.#runs.add(run);
  }

  /** Takes up nothing more and waits for what is under way; questions that take too long are left to others. */
  async close(): Promise<void> {
    const { clock, timings } = this.#parts;
    this.#stop.abort();
    await this.#sweeping;
    const finished = new AbortController();
    const late = clock.sleep(timings.finishMs, finished.signal).then(
      () => this.#giveUp.abort(),
      () => undefined,
    );
    await Promise.race([Promise.all(this.#runs), late]);
    finished.abort();
    await Promise.all(this.#runs);
  }

  async #run(accountId: string, checks: AccountChecks): Promise<void> {
    try {
      await checks.run(this.#stop.signal, this.#giveUp.signal);
      this.#accounts.delete(accountId);
      if (checks.hasNews) this.wake(accountId);
    } catch (err) {
      this.#accounts.delete(accountId);
      this.#parts.log.warn({ err, account: accountId }, 'triggers: an account is left to the sweep');
    }
  }

  #load(): number {
    let sum = 0;
    for (const { load } of this.#accounts.values()) sum += load;
    return sum;
  }

  /** Where the process was full, accounts wait for room. */
  #offerRoom(): void {
    if (this.#load() < this.#parts.timings.most - 1) return;
    for (const checks of this.#accounts.values()) checks.wake();
  }

  async #sweepLoop(): Promise<void> {
    const { clock, timings, database, mode, log } = this.#parts;
    while (!this.#stop.signal.aborted) {
      try {
        for (const id of await database.systemOnce((tx) => findWaiting(tx, mode))) this.wake(id);
      } catch (err) {
        log.warn({ err }, 'triggers: sweep failed');
      }
      await clock.sleep(timings.sweepMs, this.#stop.signal).catch(() => undefined);
    }
  }
}
