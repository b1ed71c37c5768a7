import { MOST_CPU_MS } from './find-trigger.ts';

/** The part of a claim in which its messages should have been looked at; the rest is for replies. */
const SHARE = 4;

/**
 * How many messages of an account are claimed at once: what can be looked at while the claim lasts, so that no other
 * worker takes them up again. Begins with the worst, and follows what the looks take.
 */
export class LookPace {
  readonly #shareMs: number;
  #lookMs = MOST_CPU_MS;
  #open = 0;

  /** @param leaseMs how long a claim lasts */
  constructor(leaseMs: number) {
    this.#shareMs = leaseMs / SHARE;
  }

  /** How many more may be claimed now. One always may where nothing is under way. */
  get room(): number {
    return Math.max(this.#open === 0 ? 1 : 0, Math.floor(this.#shareMs / this.#lookMs) - this.#open);
  }

  /** A message is claimed. @returns to be called once it is looked at, with the milliseconds that it took; again does nothing */
  begin(): (lookMs?: number) => void {
    this.#open++;
    let isOpen = true;
    return (lookMs) => {
      if (!isOpen) return;
      isOpen = false;
      this.#open--;
      if (lookMs !== undefined) this.#lookMs = Math.max(lookMs, this.#lookMs / 2, 0.1);
    };
  }
}
