import type { ReadyDelivery } from './prepare-deliveries.ts';

/** What is in hand for longer goes back: others may be more in need of it than this receiver. */
const STALE_MS = 2_000;

/** Claimed deliveries that a lane has in hand and is not sending, oldest first. */
export class ReadyDeliveries {
  #list: ReadyDelivery[] = [];

  get count(): number {
    return this.#list.length;
  }

  /** When the oldest has been in hand for too long, in milliseconds since the epoch; infinite where there is none. */
  get staleAt(): number {
    const [oldest] = this.#list;
    return oldest === undefined ? Number.POSITIVE_INFINITY : oldest.since + STALE_MS;
  }

  add(deliveries: readonly ReadyDelivery[]): void {
    this.#list.push(...deliveries);
  }

  /** Takes out the next to send: a receiver that rests gets samples that nobody has tried, and nothing else. */
  next(rests: boolean): ReadyDelivery | undefined {
    if (!rests) return this.#list.shift();
    const at = this.#list.findIndex(({ delivery }) => delivery.sample && delivery.tries === 0);
    return at === -1 ? undefined : this.#list.splice(at, 1)[0];
  }

  /** Takes out all of them. */
  takeAll(): ReadyDelivery[] {
    return this.#list.splice(0);
  }
}
