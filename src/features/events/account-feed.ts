import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../platform/log/log.ts';
import type { EventReader, ReadEvent } from './event-reader.ts';
import type { EventScope, Position } from './events.model.ts';

/** A stream's view of its account's new events. */
export interface Subscription {
  /**
   * The next events in order, waiting for one where there is none; `overflowed` when the stream was too slow and
   * some were dropped, which happens once: it then has to read them from the database; `ended` after `close`.
   */
  next(): Promise<ReadEvent[] | 'overflowed' | 'ended'>;
  close(): void;
}

/** Events held for a stream that does not take them. Beyond this it reads them from the database at its own pace. */
const MOST_HELD = 500;
const BATCH = 200;
/** Should a notice be lost. */
const LOOK_EVERY_MS = 1_000;
/** First pause before looking again for events that may still be overtaken; doubles up to the last. */
const SETTLING_MS = { first: 2, last: 250 };

interface FeedOptions {
  scope: EventScope;
  reader: EventReader;
  clock: Clock;
  log: Log;
  closed: AbortSignal;
  /** Called when the last stream has left. */
  onIdle: () => void;
}

/** Reads one account's new events while somebody follows them. */
export class AccountFeed {
  readonly scope: EventScope;
  readonly #options: FeedOptions;
  readonly #followers = new Set<Follower>();
  readonly #started: Promise<Position>;
  #news = false;
  #nap: AbortController | undefined;

  constructor(options: FeedOptions) {
    this.scope = options.scope;
    this.#options = options;
    this.#started = options.reader.now(options.scope);
    this.#started.then((position) => this.#run(position)).catch(() => options.onIdle());
  }

  /** Looks for new events now. */
  wake(): void {
    this.#news = true;
    this.#nap?.abort();
  }

  async subscribe(): Promise<Subscription> {
    const follower = new Follower(() => this.#leave(follower));
    this.#followers.add(follower);
    try {
      await this.#started;
    } catch (error) {
      this.#leave(follower);
      throw error;
    }
    return follower;
  }

  #leave(follower: Follower): void {
    this.#followers.delete(follower);
    if (this.#followers.size > 0) return;
    this.#options.onIdle();
    this.wake();
  }

  async #run(start: Position): Promise<void> {
    const { reader, log, closed } = this.#options;
    let position = start;
    let pause = SETTLING_MS.first;
    while (this.#followers.size > 0 && !closed.aborted) {
      this.#news = false;
      const page = await reader
        .after(this.scope, { position, filter: {}, limit: BATCH })
        .catch((err: unknown) => log.warn({ err }, 'events not read, trying again'));
      if (page && page.events.length > 0) {
        for (const follower of this.#followers) follower.push(page.events);
        position = page.events.at(-1)?.row ?? position;
        pause = SETTLING_MS.first;
      }
      if (page?.full) continue;
      await this.#wait(page?.unsettled ? pause : LOOK_EVERY_MS);
      pause = Math.min(pause * 2, SETTLING_MS.last);
    }
  }

  async #wait(ms: number): Promise<void> {
    if (this.#news) return;
    this.#nap = new AbortController();
    await this.#options.clock.sleep(ms, this.#nap.signal).catch(() => undefined);
  }
}

class Follower implements Subscription {
  readonly #onClose: () => void;
  #held: ReadEvent[] = [];
  #overflowed = false;
  #ended = false;
  #notify: (() => void) | undefined;

  constructor(onClose: () => void) {
    this.#onClose = onClose;
  }

  push(events: readonly ReadEvent[]): void {
    if (this.#overflowed) return;
    this.#held.push(...events);
    if (this.#held.length > MOST_HELD) {
      this.#held = [];
      this.#overflowed = true;
    }
    this.#notify?.();
  }

  async next(): Promise<ReadEvent[] | 'overflowed' | 'ended'> {
    if (this.#held.length === 0 && !this.#overflowed && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#notify = resolve;
      });
      this.#notify = undefined;
    }
    if (this.#ended) return 'ended';
    if (this.#overflowed) {
      this.#overflowed = false;
      return 'overflowed';
    }
    const events = this.#held;
    this.#held = [];
    return events;
  }

  close(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#notify?.();
    this.#onClose();
  }
}
