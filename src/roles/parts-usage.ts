import { activityRoutes } from '../features/usage/activity.routes.ts';
import { createActivityService } from '../features/usage/activity.service.ts';
import { ActivityLog } from '../features/usage/activity-log.ts';
import { runUsageJobs } from '../features/usage/usage.jobs.ts';
import { usageRoutes } from '../features/usage/usage.routes.ts';
import { createUsageService } from '../features/usage/usage.service.ts';
import { newUuid } from '../lib/ids.ts';
import { systemClock } from '../lib/system-clock.ts';
import type { AppOptions } from '../platform/http/app.ts';
import type { Route } from '../platform/http/route.ts';
import type { Core } from './core.ts';

/** What an account used and asked for. */
export function openUsageRoutes({ database }: Core): Route[] {
  return [
    ...usageRoutes(createUsageService({ database }), systemClock),
    ...activityRoutes(createActivityService({ database, clock: systemClock })),
  ];
}

/** Starts the activity log. @returns what the edge tells of each request; opened before HTTP, it closes after it */
export async function openActivityLog(core: Core): Promise<NonNullable<AppOptions['onRequest']>> {
  const activity = await core.lifecycle.open('activity log', () => new ActivityLog({ ...core, newUuid }), {
    close: (opened) => opened.close(),
  });
  return (request) => activity.record(request);
}

/** Counts messages, in a worker. */
export async function runUsage(core: Core): Promise<void> {
  await runUsageJobs({ ...core, clock: systemClock });
}
