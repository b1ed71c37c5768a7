import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../log/log.ts';

/** Longest time one part may take to close, in milliseconds, unless it says otherwise. */
const DEFAULT_CLOSE_TIMEOUT_MS = 5_000;

interface Part {
  name: string;
  close: () => unknown;
  timeoutMs: number;
}

/** How a part is closed again. */
export interface Closing<T> {
  close: (part: T) => unknown;
  /** Longest time in milliseconds; shutdown then goes on without it. */
  timeoutMs?: number;
}

/** The open parts of a process. They close in the reverse of the order in which they opened. */
export interface Lifecycle {
  /** Aborts as soon as closing begins, for loops and waits. */
  readonly signal: AbortSignal;
  /**
   * Opens a part and remembers how to close it.
   * @throws whatever `open` throws; Error when closing has begun
   */
  open<T>(name: string, open: () => Promise<T> | T, closing: Closing<T>): Promise<T>;
  /**
   * Closes every part. A part that fails or takes too long is logged and left behind. Later calls return the same
   * promise.
   * @returns whether every part closed in time
   */
  close(reason: string): Promise<boolean>;
}

export function createLifecycle(log: Log): Lifecycle {
  const parts: Part[] = [];
  const controller = new AbortController();
  let closing: Promise<boolean> | undefined;

  return {
    signal: controller.signal,
    async open(name, open, { close, timeoutMs = DEFAULT_CLOSE_TIMEOUT_MS }) {
      controller.signal.throwIfAborted();
      const part = await open();
      parts.push({ name, close: () => close(part), timeoutMs });
      if (closing) {
        // It finished opening after the others were closed.
        await closeAll(parts, log);
        controller.signal.throwIfAborted();
      }
      return part;
    },
    close(reason) {
      closing ??= (async () => {
        log.info({ reason }, 'shutting down');
        controller.abort(new Error(`shutting down: ${reason}`));
        return closeAll(parts, log);
      })();
      return closing;
    },
  };
}

async function closeAll(parts: Part[], log: Log): Promise<boolean> {
  let clean = true;
  for (let part = parts.pop(); part; part = parts.pop()) {
    clean = (await closePart(part, log)) && clean;
  }
  return clean;
}

async function closePart({ name, close, timeoutMs }: Part, log: Log): Promise<boolean> {
  const started = performance.now();
  const giveUp = new AbortController();
  const late = sleep(timeoutMs, 'late' as const, { signal: giveUp.signal }).catch(() => 'late' as const);
  try {
    const outcome = await Promise.race([(async () => close())().then(() => 'closed' as const), late]);
    const took = Math.round(performance.now() - started);
    if (outcome === 'late') log.warn({ part: name, took }, 'closing took too long');
    else log.debug({ part: name, took }, 'closed');
    return outcome === 'closed';
  } catch (err) {
    log.error({ part: name, err }, 'closing failed');
    return false;
  } finally {
    giveUp.abort();
  }
}
