import { z } from 'zod';
import type { SessionWaker } from '../features/sessions/sessions.service.ts';
import type { Jobs } from '../platform/jobs/jobs.ts';
import { defineQueue } from '../platform/jobs/queue-definition.ts';
import type { Log } from '../platform/log/log.ts';

/** "There are sessions to claim", to any worker of a mode (the suffix). */
export const claimQueue = defineQueue('session-claim', z.object({ session_id: z.uuid() }), { attempts: 1 });

/** Notice channel of one worker; the payload is the UUID of a session to look at. */
export function wakeChannel(workerId: string): string {
  return `pingr_wake_${workerId}`;
}

interface WakerParts {
  jobs: Pick<Jobs, 'queue'>;
  /** Sends a notice to who listens on the channel. */
  send: (channel: string, payload: string) => void;
  log: Log;
}

/**
 * Tells the worker that holds a session to look at it: by a notice, since a job cost more CPU time than all the rest
 * of accepting and sending a message. A session that nobody holds is a job for any worker of its mode. Both are hints:
 * the rows are the truth, and the workers' sweeps find what a lost hint was about.
 */
export function createSessionWaker({ jobs, send, log }: WakerParts): SessionWaker {
  return {
    wake({ id, mode, owner }) {
      if (owner !== undefined) return send(wakeChannel(owner), id);
      void jobs
        .queue(claimQueue, mode)
        .add({ session_id: id })
        .catch((error: unknown) => {
          log.warn({ err: error, session: id }, 'wake-up not sent, the sweep will find it');
        });
    },
  };
}
