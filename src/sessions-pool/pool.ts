import type { LaneMessages } from '../features/messages/lane.service.ts';
import type { Clock } from '../lib/clock.ts';
import type { Mode } from '../lib/mode.ts';
import { WakeSignal } from '../lib/wake-signal.ts';
import type { Database } from '../platform/db/database.ts';
import { isUnavailable } from '../platform/db/db.errors.ts';
import type { Log } from '../platform/log/log.ts';
import { fairShare } from './fair-share.ts';
import { HeldSession, type HeldSessionParts } from './held-session.ts';
import * as leases from './leases.system.ts';

export interface PoolTimings {
  /** How long a lease lasts without renewal. */
  leaseMs: number;
  /** How often leases are renewed. */
  renewMs: number;
  /** How often free sessions are looked for. */
  claimMs: number;
  /** How often rows are swept for what a lost hint was about. */
  sweepMs: number;
}

export const POOL_TIMINGS: PoolTimings = { leaseMs: 8_000, renewMs: 2_000, claimMs: 1_000, sweepMs: 5_000 };

export interface PoolParts extends Omit<HeldSessionParts, 'recordAttempts' | 'recordGeneration'> {
  workerId: string;
  mode: Mode;
  database: Database;
  messages: LaneMessages;
  clock: Clock;
  log: Log;
  timings: PoolTimings;
  /** Tells other workers that sessions became free. */
  onReleased: (sessionIds: readonly string[]) => void;
}

/** Sessions handed to other workers at one beat, at most, so that a rebalancing is no storm. */
const SHED_AT_ONCE = 10;
const CLAIM_AT_ONCE = 100;
const CLOSE_TIMEOUT_MS = 4_000;

/** The sessions that this worker holds: claims its fair share, renews, and gives back on the way out. */
export class SessionPool {
  readonly #parts: PoolParts;
  readonly #held = new Map<string, HeldSession>();
  readonly #stop = new AbortController();
  readonly #claimNow = new WakeSignal();
  /** Sessions on their way out: still renewed, so that nobody opens a second socket before the first is gone. */
  readonly #leaving = new Set<HeldSession>();
  #share = 0;
  /** When the database was last seen to be away. */
  #troubleAt = Number.NEGATIVE_INFINITY;
  #loops: Promise<unknown> = Promise.resolve();
  #releasing: Promise<void> = Promise.resolve();

  constructor(parts: PoolParts) {
    this.#parts = parts;
  }

  /** Joins the workers of the mode. @throws Error when the database cannot be reached. */
  async start(): Promise<void> {
    const { timings } = this.#parts;
    await this.#beat();
    this.#loops = Promise.all([
      this.#every(timings.renewMs, () => this.#beat()),
      this.#every(timings.sweepMs, () => this.#sweep()),
      this.#claimLoop(),
    ]);
  }

  /** The session's row or messages changed. */
  look(sessionId: string): void {
    this.#held.get(sessionId)?.look();
  }

  /** There may be sessions to claim. */
  claimSoon(): void {
    this.#claimNow.raise();
  }

  /** Wake-ups may have been lost. */
  sweepSoon(): void {
    void this.#guard('sweep', () => this.#sweep());
  }

  /** Number of held sessions by what their sockets do. */
  states(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { state } of this.#held.values()) counts.set(state, (counts.get(state) ?? 0) + 1);
    return counts;
  }

  /** Hands everything over: closes sockets without logging out, writes what is known, frees the leases. */
  async drain(): Promise<void> {
    const { log, database, messages } = this.#parts;
    this.#stop.abort();
    await this.#loops;
    await this.#tell(true).catch((error: unknown) =>
      log.warn({ err: error }, 'pool: could not announce leaving'),
    );
    await this.#release([...this.#held.values()]);
    await this.#releasing;
    await messages.progress.flush();
    await database.systemOnce((tx) => leases.leave(tx, this.#parts.workerId));
  }

  async #claimLoop(): Promise<void> {
    const { clock, timings } = this.#parts;
    while (!this.#stop.signal.aborted) {
      await this.#guard('claim', () => this.#claim());
      const next = new AbortController();
      const signal = AbortSignal.any([next.signal, this.#stop.signal]);
      await Promise.race([
        clock.sleep(timings.claimMs, signal).catch(() => undefined),
        this.#claimNow.wait(signal),
      ]);
      next.abort();
    }
  }

  async #claim(): Promise<void> {
    const { database, workerId: id, mode, clock, timings } = this.#parts;
    await this.#countShare();
    const limit = Math.min(CLAIM_AT_ONCE, Math.max(0, this.#share - this.#held.size));
    if (limit === 0) return;
    // When the database was away every lease has run out, and most owners are about to renew theirs.
    const takeExpired = clock.now().getTime() - this.#troubleAt > timings.leaseMs;
    const holding = this.#mine().map(({ lease }) => lease.sessionId);
    const claim = { worker: { id, mode }, limit, ttlMs: timings.leaseMs, holding, takeExpired };
    const claimed = await database.systemOnce((tx) => leases.claim(tx, claim));
    for (const lease of claimed) this.#hold(lease);
    if (claimed.length === CLAIM_AT_ONCE) this.#claimNow.raise();
  }

  #hold(lease: leases.Lease): void {
    const { database, log } = this.#parts;
    const held = new HeldSession(
      {
        ...this.#parts,
        recordAttempts: (of, attempts, delayMs) =>
          database.systemOnce((tx) => leases.recordAttempts(tx, of, attempts, delayMs)),
        recordGeneration: (of, generation) =>
          database.systemOnce((tx) => leases.recordGeneration(tx, of, generation)),
      },
      lease,
    );
    this.#held.set(lease.sessionId, held);
    void held.done
      .catch((error: unknown) =>
        log.error({ err: error, session: lease.sessionId }, 'pool: session ended badly'),
      )
      .finally(() => this.#ended(held));
  }

  /** A session that stopped by itself is given back; it is claimed again only when it is wanted again. */
  #ended(held: HeldSession): void {
    if (this.#held.get(held.lease.sessionId) !== held) return;
    this.#held.delete(held.lease.sessionId);
    void this.#guard('release', () =>
      this.#parts.database.systemOnce((tx) => leases.release(tx, [held.lease])),
    );
  }

  async #beat(): Promise<void> {
    const { database, workerId, timings } = this.#parts;
    await this.#countShare();
    // As of now: what is claimed while the answer is on its way is not in it.
    const mine = this.#mine();
    const given = mine.map(({ lease }) => lease);
    const renewed = await database.systemOnce((tx) => leases.renew(tx, workerId, timings.leaseMs, given));
    for (const held of mine) if (!renewed.has(held.lease.sessionId)) void this.#close(held);
    const surplus = Math.max(0, Math.min(SHED_AT_ONCE, this.#held.size - this.#share));
    // Not awaited: a socket that closes slowly must not keep the other leases from being renewed.
    const shed = this.#release([...this.#held.values()].slice(0, surplus));
    this.#releasing = this.#releasing.then(() => shed);
  }

  #mine(): HeldSession[] {
    return [...this.#held.values(), ...this.#leaving];
  }

  /** Closes within a time limit: what a socket that will not go still writes is fenced off once the lease moves on. */
  async #close(held: HeldSession): Promise<void> {
    const { clock, log } = this.#parts;
    const { sessionId: session } = held.lease;
    const closed = new AbortController();
    const closing = held
      .close()
      .catch((error: unknown) => log.warn({ err: error, session }, 'pool: closed badly'));
    const late = clock.sleep(CLOSE_TIMEOUT_MS, closed.signal).then(
      () => log.error({ session }, 'pool: a socket did not close in time'),
      () => undefined,
    );
    await Promise.race([closing, late]);
    closed.abort();
    this.#ended(held);
  }

  async #countShare(): Promise<void> {
    const { workers, sessions } = await this.#tell(false);
    this.#share = fairShare(workers, sessions);
  }

  async #tell(leaving: boolean): Promise<Awaited<ReturnType<typeof leases.beat>>> {
    const { database, workerId: id, mode, timings } = this.#parts;
    return database.systemOnce((tx) => leases.beat(tx, { id, mode, leaving, staleAfterMs: timings.leaseMs }));
  }

  async #sweep(): Promise<void> {
    const { database, workerId } = this.#parts;
    for (const sessionId of await database.systemOnce((tx) => leases.findWork(tx, workerId)))
      this.look(sessionId);
  }

  async #release(surplus: readonly HeldSession[]): Promise<void> {
    if (surplus.length === 0) return;
    for (const held of surplus) {
      this.#held.delete(held.lease.sessionId);
      this.#leaving.add(held);
    }
    await Promise.all(surplus.map((held) => this.#close(held)));
    for (const held of surplus) this.#leaving.delete(held);
    const given = surplus.map(({ lease }) => lease);
    await this.#guard('release', () => this.#parts.database.systemOnce((tx) => leases.release(tx, given)));
    this.#parts.onReleased(given.map(({ sessionId }) => sessionId));
  }

  async #every(ms: number, work: () => Promise<void>): Promise<void> {
    const { clock } = this.#parts;
    while (!this.#stop.signal.aborted) {
      await clock.sleep(ms, this.#stop.signal).catch(() => undefined);
      if (!this.#stop.signal.aborted) await this.#guard('tick', work);
    }
  }

  /** A database that is away is no reason to close a socket: the next round tries again. */
  async #guard(what: string, work: () => Promise<void>): Promise<void> {
    await work().catch((error: unknown) => {
      if (isUnavailable(error)) this.#troubleAt = this.#parts.clock.now().getTime();
      this.#parts.log.warn({ err: error }, `pool: ${what} failed`);
    });
  }
}
