import { z } from 'zod';

const readySchema = z.object({
  type: z.literal('ready'),
  /** Settings that the process hands to those that are started after it. */
  env: z.record(z.string(), z.string()).default({}),
});

/** What a child tells its supervisor once it does its work. */
export type ReadyMessage = z.output<typeof readySchema>;

/** The message, or `undefined` where it says something else. */
export function parseReady(message: unknown): ReadyMessage | undefined {
  return readySchema.safeParse(message).data;
}

/**
 * Tells the supervisor that this process does its work; does nothing in a process without one.
 * @param env settings for the processes that start after it (the emulator's address and root key)
 */
export function announceReady(env: Record<string, string> = {}): void {
  process.send?.({ type: 'ready', env } satisfies ReadyMessage);
}
