import { runRetentionJobs } from '../features/retention/retention.jobs.ts';
import { retentionRoutes } from '../features/retention/retention.routes.ts';
import { createRetentionService } from '../features/retention/retention.service.ts';
import type { Route } from '../platform/http/route.ts';
import type { Core } from './core.ts';

/** How long an account's contents are kept. */
export function openRetentionRoutes({ database }: Core): Route[] {
  return retentionRoutes(createRetentionService({ database }));
}

/** The nightly purge and the forgetting of contents, in a worker. */
export async function runRetention({ database, jobs, lifecycle, log }: Core): Promise<void> {
  await runRetentionJobs({ database, jobs, lifecycle, log });
}
