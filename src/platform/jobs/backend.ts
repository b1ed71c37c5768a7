import {
  type BackendFactory,
  type IQueueBackend,
  type Processor,
  Queue,
  type QueueOptions,
  Worker,
  type WorkerOptions,
} from 'bullmq';
import type { JobPayload } from './queue-definition.ts';

/** The part of a BullMQ queue that this house uses, the same on both backends. */
export type BullQueue = Pick<
  Queue<JobPayload>,
  'add' | 'addBulk' | 'upsertJobScheduler' | 'getJobCounts' | 'obliterate' | 'close'
>;
export type BullWorker = Pick<Worker<JobPayload>, 'close' | 'pause' | 'waitUntilReady'>;
export type BullProcessor = Processor<JobPayload, void>;

/** What both backends are told about a worker. */
export interface WorkerSettings {
  concurrency: number;
  /** See `QueueOptions.lockMs`. */
  lockMs: number;
  onError: (error: Error) => void;
}

/** Where the queues live: opened once a process, shared by all its queues and workers. */
export interface QueueBackend {
  openQueue(name: string, onError: (error: Error) => void): BullQueue;
  openWorker(name: string, process: BullProcessor, settings: WorkerSettings): BullWorker;
  /** @throws Error when jobs cannot be added or worked on */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** How BullMQ reaches one backend. */
export interface BullConnection<B extends IQueueBackend, C> {
  factory: BackendFactory<B, C>;
  options: { connection: C; prefix?: string };
}

/** Nobody reads BullMQ's own event stream here; it is kept as short as it can be. */
const STREAMS = { events: { maxLen: 100 } };

/** Opens a BullMQ queue for producing. */
export function openBullQueue<B extends IQueueBackend, C>(
  { factory, options }: BullConnection<B, C>,
  name: string,
  onError: (error: Error) => void,
): BullQueue {
  const settings: QueueOptions<C> = { ...options, streams: STREAMS };
  const queue = new Queue<JobPayload, void, string, JobPayload, void, string, B, C>(name, settings, factory);
  queue.on('error', onError);
  return queue;
}

/** Opens a BullMQ worker. After a lost connection it tries again every second. */
export function openBullWorker<B extends IQueueBackend, C>(
  { factory, options }: BullConnection<B, C>,
  name: string,
  process: BullProcessor,
  { concurrency, lockMs, onError }: WorkerSettings,
): BullWorker {
  const settings: WorkerOptions<C> = {
    ...options,
    concurrency,
    lockDuration: lockMs,
    stalledInterval: lockMs / 2,
    // A job whose process dies again and again ends as failed instead of taking down one worker after another.
    maxStalledCount: 5,
    runRetryDelay: 1_000,
  };
  const worker = new Worker<JobPayload, void, string, B, number, C>(name, process, settings, factory);
  worker.on('error', onError);
  return worker;
}
