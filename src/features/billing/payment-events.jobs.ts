import { z } from 'zod';
import { defineQueue } from '../../platform/jobs/queue-definition.ts';
import { PROVIDERS } from './plans.model.ts';

/** Webhooks of the payment providers, to be worked on. Nine tries span about forty minutes; then the upkeep tries. */
export const paymentEventQueue = defineQueue(
  'billing-event',
  z.object({ provider: z.enum(PROVIDERS), event_id: z.string() }),
  { attempts: 9, backoffMs: 5_000, lockMs: 60_000 },
);
