import type { Log } from '../log/log.ts';
import type { BullQueue, QueueBackend } from './backend.ts';

export const JOB_STATES = ['waiting', 'active', 'delayed', 'failed'] as const;
export type JobState = (typeof JOB_STATES)[number];

/** How many jobs of a queue, over all its parts, are in each state. */
export interface QueueDepth {
  queue: string;
  counts: Record<JobState, number>;
}

/** The BullMQ queues that this process has open, by name. */
export class OpenQueues {
  readonly #backend: QueueBackend;
  readonly #log: Log;
  readonly #queues = new Map<string, BullQueue>();

  constructor(backend: QueueBackend, log: Log) {
    this.#backend = backend;
    this.#log = log;
  }

  /** The queue of that name, opened where it is not open yet. */
  open(name: string): BullQueue {
    const found = this.#queues.get(name);
    if (found) return found;
    const queue = this.#backend.openQueue(name, (err) => this.#log.warn({ err, queue: name }, 'queue error'));
    this.#queues.set(name, queue);
    return queue;
  }

  /**
   * Runs `use` on the queue. After a failure the queue is opened afresh the next time: BullMQ remembers for ever
   * that its first contact with the backend failed.
   */
  async use<T>(name: string, use: (queue: BullQueue) => Promise<T>): Promise<T> {
    const queue = this.open(name);
    try {
      return await use(queue);
    } catch (error) {
      if (this.#queues.get(name) === queue) await this.close(name);
      throw error;
    }
  }

  async close(name: string): Promise<void> {
    const queue = this.#queues.get(name);
    this.#queues.delete(name);
    await queue?.close();
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#queues.keys()].map((name) => this.close(name)));
  }

  /** Counts by queue; the parts of a queue (`name.suffix`) are added up. */
  async depths(): Promise<QueueDepth[]> {
    const byQueue = new Map<string, Record<JobState, number>>();
    const counted = [...this.#queues].map(
      async ([name, queue]) => [name, await queue.getJobCounts(...JOB_STATES)] as const,
    );
    for (const [name, counts] of await Promise.all(counted)) {
      const queue = name.split('.', 1)[0] ?? name;
      const total = byQueue.get(queue) ?? { waiting: 0, active: 0, delayed: 0, failed: 0 };
      for (const state of JOB_STATES) total[state] += counts[state] ?? 0;
      byQueue.set(queue, total);
    }
    return [...byQueue].map(([queue, counts]) => ({ queue, counts }));
  }
}
