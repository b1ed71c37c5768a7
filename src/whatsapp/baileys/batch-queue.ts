import { setImmediate as nextTurn } from 'node:timers/promises';

const MAX_BATCH = 100;

/** Hands items over in order, together those that came together, and the next only when the last were dealt with. */
export class BatchQueue<T> {
  readonly #work: (batch: T[]) => Promise<void>;
  #items: T[] = [];
  #running: Promise<void> | undefined;
  #closed = false;

  /** @param work must not reject */
  constructor(work: (batch: T[]) => Promise<void>) {
    this.#work = work;
  }

  add(item: T): void {
    if (this.#closed) return;
    this.#items.push(item);
    this.#running ??= this.#drain();
  }

  /** Drops what is waiting; resolves when the batch under way is dealt with. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#items = [];
    await this.#running;
  }

  async #drain(): Promise<void> {
    do {
      // Stanzas of one network packet arrive within one turn of the event loop.
      await nextTurn();
      await this.#work(this.#items.splice(0, MAX_BATCH));
    } while (this.#items.length > 0);
    this.#running = undefined;
  }
}
