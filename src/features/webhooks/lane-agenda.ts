/** What a look at the database found. */
export interface Look {
  /** Deliveries that were taken, and how many there was room for. */
  taken: number;
  room: number;
  /** Milliseconds until the next of those that were left is due, at most 0 where it is; null where none is left. */
  nextMs: number | null;
  /** Milliseconds of rest that the receiver still wants. */
  pausedMs: number;
}

/** How soon to look again for what something earlier keeps back, should nobody say when that is done. */
const BLOCKED_MS = 1_000;
/** After so many looks for nothing a lane looks at most so often: its account has events that it does not want. */
const MANY_FOR_NOTHING = 10;
const SELDOM_MS = 25;

/** When a lane looks for due deliveries. All instants in milliseconds since the epoch. */
export class LaneAgenda {
  #lookAt = 0;
  #restsUntil = 0;
  /** Whether something due is kept back by what is on its way. */
  #blocked = false;
  #forNothing = 0;
  #lookedAt = 0;

  /** The next look; infinite where nothing is known to come. */
  get next(): number {
    return Math.max(this.#lookAt, this.#restsUntil);
  }

  /** Whether the receiver is to be left alone. */
  rests(now: number): boolean {
    return this.#restsUntil > now;
  }

  /** There may be something new. */
  wake(): void {
    this.lookBy(this.#forNothing > MANY_FOR_NOTHING ? this.#lookedAt + SELDOM_MS : 0);
  }

  lookBy(at: number): void {
    this.#lookAt = Math.min(this.#lookAt, at);
  }

  restUntil(at: number): void {
    this.#restsUntil = Math.max(this.#restsUntil, at);
  }

  /** A look begins. Whoever wakes the lane from now on may know of what it does not see. */
  looking(now: number): void {
    this.#lookAt = Number.POSITIVE_INFINITY;
    this.#lookedAt = now;
  }

  looked({ taken, room, nextMs, pausedMs }: Look, now: number): void {
    const isFull = taken === room;
    this.#forNothing = taken === 0 ? this.#forNothing + 1 : 0;
    this.#blocked = nextMs !== null && nextMs <= 0 && !isFull && pausedMs === 0;
    if (pausedMs > 0) this.restUntil(now + pausedMs);
    if (nextMs !== null) this.lookBy(now + Math.max(this.#blocked ? BLOCKED_MS : 0, nextMs));
  }

  /** An outcome is written: what it kept back can go. @param dueAt when its own delivery is due again */
  written(dueAt: number | undefined): void {
    if (this.#blocked) this.lookBy(0);
    if (dueAt !== undefined) this.lookBy(dueAt);
  }
}
