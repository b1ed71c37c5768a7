import type { EmulatorLog } from './log.ts';

/** Everything that happens later in the emulator, so that closing leaves nothing behind. */
export class Timers {
  readonly #pending = new Set<NodeJS.Timeout>();
  readonly #log: EmulatorLog;
  #closed = false;

  constructor(log: EmulatorLog) {
    this.#log = log;
  }

  /** Runs a task once after `ms`, never after {@link close}. What it throws is logged. */
  after(ms: number, task: () => void | Promise<void>): void {
    if (this.#closed) return;
    const timer = setTimeout(() => {
      this.#pending.delete(timer);
      this.run(task);
    }, ms);
    this.#pending.add(timer);
  }

  /** Runs a task every `ms` without keeping the process alive. */
  every(ms: number, task: () => void | Promise<void>): void {
    if (this.#closed) return;
    this.#pending.add(setInterval(() => this.run(task), ms).unref());
  }

  /** Starts a task now; what it throws is logged. */
  run(task: () => void | Promise<void>): void {
    void (async () => task())().catch((err: unknown) => this.#log.error({ err }, 'emulator task failed'));
  }

  /** Drops everything that is still to come. */
  close(): void {
    this.#closed = true;
    for (const timer of this.#pending) clearTimeout(timer);
    this.#pending.clear();
  }
}
