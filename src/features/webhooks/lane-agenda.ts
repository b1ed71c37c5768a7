/** What a look at the database found. */
export interface Look {
  /** Deliveries that were taken, and how many there was room for. */
  taken: number;
  room: number;
  /** Milliseconds until the next of those that were left is due, at most 0 where it is; null where none is left. */
  nextMs: number | null;
  /** Milliseconds of rest that the receiver still wants. */
  restMs: number;
}

/** How soon to look again for what something earlier keeps back, should nobody say when that is done. */
const BLOCKED_MS = 1_000;
/** After so many looks for nothing a lane looks at most so often: its account has events that it does not want. */
const MANY_FOR_NOTHING = 10;
const SELDOM_MS = 25;

/**
 * When a lane looks for due deliveries. All instants in milliseconds since the epoch. The database says how long the
 * receiver rests: somebody may have ended its rest.
 */
export class LaneAgenda {
  #lookAt = 0;
  #restsUntil = 0;
  /** Whether to look although the receiver rests. */
  #insists = false;
  /** Rests that were asked for and are not written. */
  #unwritten = 0;
  /** Whether the look under way sees every rest that was asked for. */
  #seesRests = true;
  /** Whether something due is kept back by what is on its way. */
  #blocked = false;
  #forNothing = 0;
  #lookedAt = 0;

  /** The next look; infinite where nothing is known to come. */
  get next(): number {
    return this.#insists ? this.#lookAt : Math.max(this.#lookAt, this.#restsUntil);
  }

  /** Whether the receiver is to be left alone. */
  rests(now: number): boolean {
    return this.#restsUntil > now;
  }

  /** There may be something new. */
  wake(): void {
    this.lookBy(this.#forNothing > MANY_FOR_NOTHING ? this.#lookedAt + SELDOM_MS : 0);
  }

  /** Somebody asks for a look now, and may have ended the receiver's rest. */
  insist(): void {
    this.#insists = true;
    this.lookBy(0);
  }

  lookBy(at: number): void {
    this.#lookAt = Math.min(this.#lookAt, at);
  }

  /** The receiver asks for rest, of which the database does not know yet. */
  restUntil(at: number): void {
    this.#restsUntil = Math.max(this.#restsUntil, at);
    this.#unwritten++;
    this.#seesRests = false;
  }

  /** The database knows now, or never will: the next look says how long the receiver rests. */
  restWritten(): void {
    this.#unwritten--;
    this.insist();
  }

  /** A look begins. Whoever wakes the lane from now on may know of what it does not see. */
  looking(now: number): void {
    this.#lookAt = Number.POSITIVE_INFINITY;
    this.#lookedAt = now;
    this.#insists = false;
    this.#seesRests = this.#unwritten === 0;
  }

  looked({ taken, room, nextMs, restMs }: Look, now: number): void {
    const isFull = taken === room;
    this.#forNothing = taken === 0 ? this.#forNothing + 1 : 0;
    this.#blocked = nextMs !== null && nextMs <= 0 && !isFull && restMs === 0;
    // Of the samples that go out in a rest there may be more than there was room for.
    if (isFull && restMs > 0) this.#insists = true;
    if (this.#seesRests) this.#restsUntil = restMs === 0 ? 0 : now + restMs;
    if (nextMs !== null) this.lookBy(now + Math.max(this.#blocked ? BLOCKED_MS : 0, nextMs));
  }

  /** An outcome is written: what it kept back can go. @param dueAt when its own delivery is due again */
  written(dueAt: number | undefined): void {
    if (this.#blocked) this.lookBy(0);
    if (dueAt !== undefined) this.lookBy(dueAt);
  }
}
