import { z } from 'zod';
import type { SessionWaker } from '../features/sessions/sessions.service.ts';
import type { Jobs } from '../platform/jobs/jobs.ts';
import { defineQueue } from '../platform/jobs/queue-definition.ts';
import type { Log } from '../platform/log/log.ts';

/** "Look at this session now", to the worker that holds it (the queue's suffix is the worker's id). */
export const wakeQueue = defineQueue('session-wake', z.object({ session_id: z.uuid() }), { attempts: 1 });

/** "There are sessions to claim", to any worker of a mode (the suffix). */
export const claimQueue = defineQueue('session-claim', z.object({ session_id: z.uuid() }), { attempts: 1 });

/**
 * Sends wake-ups through the queue. They are hints: the rows are the truth, and the workers' sweeps find what a lost
 * hint was about, so a failure is logged and nothing more.
 */
export function createSessionWaker(jobs: Jobs, log: Log): SessionWaker {
  /** Hints on their way; `true` where another was asked for meanwhile, which must follow. */
  const underway = new Map<string, boolean>();

  async function send(session: Parameters<SessionWaker['wake']>[0]): Promise<void> {
    const queue =
      session.owner === undefined
        ? jobs.queue(claimQueue, session.mode)
        : jobs.queue(wakeQueue, session.owner);
    const key = `${session.id}/${session.owner ?? ''}`;
    if (underway.has(key)) {
      underway.set(key, true);
      return;
    }
    do {
      underway.set(key, false);
      await queue.add({ session_id: session.id }).catch((error: unknown) => {
        log.warn({ err: error, session: session.id }, 'wake-up not sent, the sweep will find it');
      });
    } while (underway.get(key) === true);
    underway.delete(key);
  }

  return { wake: (session) => void send(session) };
}
