import { z } from 'zod';
import { defineQueue } from '../../platform/jobs/queue-definition.ts';

/** Looks at what sessions did in the last hour, every five minutes. */
export const inspectQueue = defineQueue('abuse-inspect', z.object({ task: z.literal('inspect') }), {
  attempts: 1,
});
