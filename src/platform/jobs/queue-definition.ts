import type { z } from 'zod';

/** What a job carries: ids and small facts to look rows up with, never content. */
export type JobPayload = Record<string, string | number | boolean>;

export interface QueueOptions {
  /** How often a failing job is tried in all. Default 5. */
  attempts?: number;
  /** Pause before the second try in milliseconds; doubles each time, with jitter. Default 1000. */
  backoffMs?: number;
  /**
   * How long, in seconds, the id of a finished job keeps another job of that id out. Default 0: a finished job
   * leaves nothing behind.
   */
  keepCompletedSeconds?: number;
  /** How long failed jobs are kept for people to look at, in seconds (at most 1000 of them). Default a week. */
  keepFailedSeconds?: number;
  /**
   * How long a job stays with a process that died before another gets it, in milliseconds (up to half as long again
   * in the worst case). A process that lives renews it. Default 10 000.
   */
  lockMs?: number;
}

/** A queue as the program knows it: the same value on the producing and on the consuming side. */
export interface QueueDefinition<Payload extends JobPayload> {
  name: string;
  schema: z.ZodType<Payload>;
  options: Required<QueueOptions>;
}

const DEFAULTS = {
  attempts: 5,
  backoffMs: 1_000,
  keepCompletedSeconds: 0,
  keepFailedSeconds: 7 * 86_400,
  lockMs: 10_000,
} satisfies Required<QueueOptions>;

/**
 * Declares a queue.
 * @param name lower case words with `-`, unique in the program
 * @param schema checked when a job is added and again when it is worked on
 */
export function defineQueue<Payload extends JobPayload>(
  name: string,
  schema: z.ZodType<Payload>,
  options: QueueOptions = {},
): QueueDefinition<Payload> {
  if (!/^[a-z][a-z-]*$/.test(name)) throw new Error(`${name} is no queue name`);
  return { name, schema, options: { ...DEFAULTS, ...options } };
}

/** Name of the queue, or of its part for one worker. */
export function queueName(definition: { name: string }, suffix?: string): string {
  return suffix === undefined ? definition.name : `${definition.name}.${suffix}`;
}
