import { z } from 'zod';
import { defineQueue } from '../../platform/jobs/queue-definition.ts';

/** Writes one export. It names no account: a failed job is kept for a while, and must be no trace of who left. */
export const exportQueue = defineQueue('account-export', z.object({ export_id: z.uuid() }), {
  attempts: 3,
  backoffMs: 30_000,
  lockMs: 60_000,
});

/** Erases accounts whose time has come, removes archives that are over, and finds exports whose job was lost. */
export const privacySweepQueue = defineQueue('privacy-sweep', z.object({ task: z.literal('sweep') }), {
  // What the account's last webhooks and counts write may get into a deadlock with it.
  attempts: 5,
  backoffMs: 2_000,
  lockMs: 60_000,
});
