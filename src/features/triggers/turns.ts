/** How long work may keep the event loop from its sockets, in milliseconds, before it waits for its turn. */
const SLICE_MS = 10;

/**
 * Shares the event loop between pieces of work and everything else: who has work asks for a turn before each piece. Once
 * the pieces together have taken a slice, sockets are served, and then the first that waits goes on.
 */
export class Turns {
  readonly #waiting: (() => void)[] = [];
  #spentMs = 0;
  #isDue = false;

  /** @returns `undefined` where the work may go on at once */
  take(): Promise<void> | undefined {
    if (this.#spentMs < SLICE_MS) return undefined;
    this.#schedule();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** A piece of work took so many milliseconds of the processor. */
  spend(ms: number): void {
    this.#spentMs += ms;
  }

  #schedule(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      this.#spentMs = 0;
      this.#waiting.shift()?.();
      if (this.#waiting.length > 0) this.#schedule();
    });
  }
}
