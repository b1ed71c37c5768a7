import type { Log } from '../log/log.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { type JobQueue, jobQueue, type Repeat, scheduleJob } from './job-queue.ts';
import { type JobHandler, type JobWorker, startWorker, type WorkOptions } from './job-worker.ts';
import { OpenQueues, type QueueDepth } from './open-queues.ts';
import { openPostgresBackend, type PostgresJobs } from './postgres-backend.ts';
import { type JobPayload, type QueueDefinition, queueName } from './queue-definition.ts';
import { openRedisBackend, type RedisJobs } from './redis-backend.ts';

/** Which backend BullMQ runs on. */
export type JobsBackend = PostgresJobs | RedisJobs;

/** The one door to BullMQ. */
export interface Jobs {
  /** The producing side. With a suffix: the part of the queue that one worker works on. Cheap to call each time. */
  queue<P extends JobPayload>(definition: QueueDefinition<P>, suffix?: string): JobQueue<P>;
  /** Starts working. @throws Error when the backend cannot be reached */
  work<P extends JobPayload>(
    definition: QueueDefinition<P>,
    handler: JobHandler<P>,
    options: WorkOptions,
  ): Promise<JobWorker>;
  /** Adds the payload again and again, once for all processes; calling again changes the schedule. */
  schedule<P extends JobPayload>(definition: QueueDefinition<P>, repeat: Repeat, payload: P): Promise<void>;
  /** Depths of the queues that this process has opened. */
  depths(): Promise<QueueDepth[]>;
  /** @throws Error when jobs cannot be added */
  health(): Promise<void>;
  /** Takes no more jobs, lets running ones finish for `graceMs` (default 5000), and disconnects. */
  close(graceMs?: number): Promise<void>;
}

export interface CreateJobsOptions {
  backend: JobsBackend;
  log: Log;
  metrics?: Pick<Metrics, 'jobDuration'> | undefined;
}

/** Connects to the backend. @throws Error when it cannot be reached or its schema is missing */
export async function createJobs({ backend: chosen, log, metrics }: CreateJobsOptions): Promise<Jobs> {
  const backend =
    chosen.kind === 'redis' ? await openRedisBackend(chosen, log) : await openPostgresBackend(chosen, log);
  const queues = new OpenQueues(backend, log);
  const workers = new Set<JobWorker>();

  return {
    queue: (definition, suffix) => jobQueue(queues, definition, suffix),
    async work(definition, handler, options) {
      const worker = await startWorker({ backend, definition, handler, options, log, metrics });
      queues.open(queueName(definition, options.suffix));
      workers.add(worker);
      return worker;
    },
    schedule: (definition, repeat, payload) => scheduleJob(queues, definition, { repeat, payload }),
    depths: () => queues.depths(),
    health: () => backend.ping(),
    async close(graceMs) {
      await Promise.all([...workers].map((worker) => worker.close(graceMs)));
      await queues.closeAll();
      await backend.close();
    },
  };
}
