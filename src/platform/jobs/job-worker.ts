import { setMaxListeners } from 'node:events';
import { UnrecoverableError } from 'bullmq';
import type { Log } from '../log/log.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { QueueBackend } from './backend.ts';
import { type JobPayload, type QueueDefinition, queueName } from './queue-definition.ts';

/** What a handler knows about the job beside its payload. */
export interface JobContext {
  id: string;
  /** 1 for the first try. */
  attempt: number;
  /** True when a failure now is final. */
  lastAttempt: boolean;
  /** Aborts when the worker closes. */
  signal: AbortSignal;
  log: Log;
}

/** Does the work. A rejection makes BullMQ try again, after a pause; a job can run twice, so it must bear that. */
export type JobHandler<Payload extends JobPayload> = (payload: Payload, job: JobContext) => Promise<void>;

export interface WorkOptions {
  /** How many jobs of the queue run at once in this process. */
  concurrency: number;
  /** Works on this worker's part of the queue alone. */
  suffix?: string | undefined;
}

export interface JobWorker {
  /** Takes no more jobs, aborts the signal of running ones, and waits for them `graceMs` at most. */
  close(graceMs?: number): Promise<void>;
}

export interface StartWorker<Payload extends JobPayload> {
  backend: QueueBackend;
  definition: QueueDefinition<Payload>;
  handler: JobHandler<Payload>;
  options: WorkOptions;
  log: Log;
  metrics: Pick<Metrics, 'jobDuration'> | undefined;
}

/** Starts working on a queue. @throws Error when the backend cannot be reached */
export async function startWorker<P extends JobPayload>(start: StartWorker<P>): Promise<JobWorker> {
  const { backend, definition, options } = start;
  const log = start.log.child({ queue: definition.name });
  const closing = new AbortController();
  // Every running job may listen.
  setMaxListeners(0, closing.signal);
  const running = new Set<Promise<void>>();

  const process = (job: BullJob): Promise<void> => {
    const work = runJob(start, job, jobContext(job, closing.signal, log));
    running.add(work);
    return work.finally(() => running.delete(work));
  };
  const worker = backend.openWorker(queueName(definition, options.suffix), process, {
    concurrency: options.concurrency,
    lockMs: definition.options.lockMs,
    onError: (err) => log.warn({ err }, 'worker error'),
  });
  await worker.waitUntilReady();
  return {
    async close(graceMs = 5_000) {
      closing.abort(new Error('the worker is closing'));
      await worker.pause(true);
      await Promise.race([Promise.allSettled(running), after(graceMs)]);
      // Forced, it leaves running jobs behind; their locks run out, and another worker gets them.
      await worker.close(running.size > 0);
    },
  };
}

async function runJob<P extends JobPayload>(
  start: StartWorker<P>,
  job: BullJob,
  context: JobContext,
): Promise<void> {
  const started = performance.now();
  try {
    await start.handler(parsePayload(start.definition, job.data), context);
    observe(start, started, 'completed');
  } catch (err) {
    const final = context.lastAttempt || err instanceof UnrecoverableError;
    observe(start, started, final ? 'failed' : 'retried');
    if (final) context.log.error({ err, attempt: context.attempt }, 'job failed');
    else context.log.warn({ err, attempt: context.attempt }, 'job will be tried again');
    throw err;
  }
}

interface BullJob {
  id?: string | undefined;
  data: JobPayload;
  attemptsMade: number;
  opts: { attempts?: number };
}

function jobContext(job: BullJob, signal: AbortSignal, log: Log): JobContext {
  const id = job.id ?? '';
  const attempt = job.attemptsMade + 1;
  return {
    id,
    attempt,
    lastAttempt: attempt >= (job.opts.attempts ?? 1),
    signal,
    log: log.child({ job: id }),
  };
}

/** A payload that does not fit was written by another version of the program; trying again would not help. */
function parsePayload<P extends JobPayload>({ schema }: QueueDefinition<P>, data: unknown): P {
  const parsed = schema.safeParse(data);
  if (parsed.success) return parsed.data;
  throw new UnrecoverableError(
    `payload does not fit: ${parsed.error.issues.map((issue) => issue.path.join('.')).join(', ')}`,
  );
}

function observe<P extends JobPayload>(
  { metrics, definition }: StartWorker<P>,
  started: number,
  outcome: 'completed' | 'retried' | 'failed',
): void {
  metrics?.jobDuration.observe({ queue: definition.name, outcome }, (performance.now() - started) / 1_000);
}

async function after(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
