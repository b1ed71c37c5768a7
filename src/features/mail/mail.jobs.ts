import { z } from 'zod';
import { defineQueue } from '../../platform/jobs/queue-definition.ts';

/** "Send this mail". Ten tries over about four hours. */
export const mailQueue = defineQueue('mail', z.object({ mail_id: z.uuid() }), {
  attempts: 10,
  backoffMs: 30_000,
  // The time for one mail, and some more.
  lockMs: 90_000,
});
