import { z } from 'zod';
import type { Mode } from '../../lib/mode.ts';
import type { Jobs } from '../../platform/jobs/jobs.ts';
import { defineQueue } from '../../platform/jobs/queue-definition.ts';
import type { Log } from '../../platform/log/log.ts';

/** "This account has messages that triggers must look at", to any worker of a mode (the suffix). */
export const triggerWakeQueue = defineQueue('trigger-wake', z.object({ account_id: z.uuid() }), {
  attempts: 1,
});

/** Gets an account's messages looked at by a worker of the mode. A hint: the workers' sweeps find them too. */
export type WakeTriggers = (accountId: string, mode: Mode) => void;

/** For processes that do not run triggers of the mode themselves. */
export function createTriggerWaker({ jobs, log }: { jobs: Pick<Jobs, 'queue'>; log: Log }): WakeTriggers {
  return (accountId, mode) => {
    void jobs
      .queue(triggerWakeQueue, mode)
      .add({ account_id: accountId }, { coalesce: accountId })
      .catch((error: unknown) => {
        log.warn({ err: error, account: accountId }, 'wake-up not sent, the sweep will find it');
      });
  };
}
