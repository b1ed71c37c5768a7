import { randomUUID } from 'node:crypto';
import type { JobsOptions } from 'bullmq';
import type { OpenQueues } from './open-queues.ts';
import { type JobPayload, type QueueDefinition, queueName } from './queue-definition.ts';

export interface AddOptions {
  /**
   * A job of this id that is waiting, running or kept makes this one a no-op. Not a whole number, and without `:`.
   */
  jobId?: string | undefined;
  /** Not worked on before this many milliseconds. */
  delayMs?: number | undefined;
  /**
   * Jobs of one name collapse: while one waits, others are dropped; while one runs, one more is kept and runs after
   * it. So a wake-up is never lost, and a storm of them costs two runs.
   */
  coalesce?: string | undefined;
}

export interface NewJob<Payload extends JobPayload> {
  payload: Payload;
  options?: AddOptions | undefined;
}

/** The producing side of a queue. */
export interface JobQueue<Payload extends JobPayload> {
  /** Resolves once the job is stored. @throws ZodError, or Error when the backend cannot be reached */
  add(payload: Payload, options?: AddOptions): Promise<void>;
  /** Adds many in one round trip, all or none. @throws as `add` */
  addBulk(jobs: readonly NewJob<Payload>[]): Promise<void>;
}

/** When a scheduled job runs: every so many milliseconds, or by cron pattern (UTC unless a zone is given). */
export type Repeat = { everyMs: number } | { cron: string; timeZone?: string };

/** The producing side of the queue, or of one worker's part of it. */
export function jobQueue<P extends JobPayload>(
  queues: OpenQueues,
  definition: QueueDefinition<P>,
  suffix: string | undefined,
): JobQueue<P> {
  const bullName = queueName(definition, suffix);
  const bullJob = ({ payload, options = {} }: NewJob<P>) => ({
    name: definition.name,
    data: definition.schema.parse(payload),
    opts: { ...keptAndTried(definition), ...addOptions(options) },
  });
  return {
    async add(payload, options) {
      const { name, data, opts } = bullJob({ payload, options });
      await queues.use(bullName, (queue) => queue.add(name, data, opts));
    },
    async addBulk(jobs) {
      const [first, ...rest] = jobs.map(bullJob);
      if (!first) return;
      // On Postgres a bulk makes two temporary tables: not worth it for one job.
      if (rest.length === 0)
        await queues.use(bullName, (queue) => queue.add(first.name, first.data, first.opts));
      else await queues.use(bullName, (queue) => queue.addBulk([first, ...rest]));
    },
  };
}

/** Makes the payload arrive again and again, once for all processes. */
export async function scheduleJob<P extends JobPayload>(
  queues: OpenQueues,
  definition: QueueDefinition<P>,
  { repeat, payload }: { repeat: Repeat; payload: P },
): Promise<void> {
  const pattern =
    'everyMs' in repeat ? { every: repeat.everyMs } : { pattern: repeat.cron, tz: repeat.timeZone ?? 'UTC' };
  const template = {
    name: definition.name,
    data: definition.schema.parse(payload),
    opts: keptAndTried(definition),
  };
  await queues.use(definition.name, (queue) => queue.upsertJobScheduler(definition.name, pattern, template));
}

function keptAndTried({ options }: { options: QueueDefinition<JobPayload>['options'] }) {
  const { attempts, backoffMs, keepCompletedSeconds, keepFailedSeconds } = options;
  return {
    attempts,
    backoff: { type: 'exponential', delay: backoffMs, jitter: 0.5 },
    removeOnComplete: keepCompletedSeconds === 0 ? true : { age: keepCompletedSeconds },
    removeOnFail: { age: keepFailedSeconds, count: 1_000 },
    stackTraceLimit: 1,
  } satisfies JobsOptions;
}

/** Every job gets an id of ours, the same kind on both backends; BullMQ's own count from 1 in each queue. */
function addOptions({ jobId, delayMs, coalesce }: AddOptions): JobsOptions {
  return {
    jobId: jobId ?? randomUUID(),
    ...(delayMs === undefined ? {} : { delay: delayMs }),
    ...(coalesce === undefined ? {} : { deduplication: { id: coalesce, keepLastIfActive: true } }),
  };
}
