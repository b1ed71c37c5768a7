import { z } from 'zod';
import { refuseEmptyRange } from '../../platform/http/api-fields.ts';
import { type ExportFormat, exportAnswer, exportQuery, exportReply } from '../../platform/http/export.ts';
import { pageOf, pageQuery, toOpenPage } from '../../platform/http/page.ts';
import { defineRoute, type Operation, type Route } from '../../platform/http/route.ts';
import * as schema from './activity.schema.ts';
import type { ActivityService } from './activity.service.ts';

const read = { tag: 'Usage', scope: 'usage:read' } satisfies Partial<Operation>;

/** The log of the account's own requests. */
export function activityRoutes(activity: ActivityService): Route[] {
  return [
    defineRoute({
      ...read,
      method: 'GET',
      path: '/v1/activity',
      operationId: 'listActivity',
      summary: 'List API requests',
      description:
        'Every request with a key or by a user of the account, newest first, kept for 90 days. New ones appear within a second. Without `since` the whole log is searched, whatever the filter. A page may be shorter than `limit`, also empty, while `has_more` is true: the search has only come so far, and goes on from `next_cursor`.',
      query: z
        .strictObject({ ...schema.activityFilter, ...pageQuery('activity') })
        .superRefine(refuseEmptyRange),
      answers: {
        200: { description: 'A page of requests.', schema: pageOf(schema.activityView, 'ActivityList') },
      },
      handler: async ({ ctx, query }) => {
        const { limit, after } = query;
        const found = await activity.list(ctx, { filter: schema.toActivityFilter(query), limit, after });
        return { status: 200, body: toOpenPage(found, 'activity', schema.showActivity) };
      },
    }),
    defineRoute({
      ...read,
      method: 'GET',
      path: '/v1/activity/export',
      operationId: 'exportActivity',
      summary: 'Export API requests',
      description:
        'All of them, newest first, streamed; the filters are those of the list. Without `since` from the whole log.',
      cost: 10,
      query: z.strictObject({ ...schema.activityFilter, ...exportQuery }).superRefine(refuseEmptyRange),
      answers: { 200: exportAnswer('The requests.') },
      handler: async ({ ctx, query }) => {
        const pages = shown(activity.all(ctx, schema.toActivityFilter(query)));
        const format: ExportFormat = query.format;
        return exportReply({ format, name: 'activity', columns: schema.ACTIVITY_COLUMNS, pages });
      },
    }),
  ];
}

async function* shown(pages: ReturnType<ActivityService['all']>): AsyncGenerator<schema.ActivityView[]> {
  for await (const page of pages) yield page.map(schema.showActivity);
}
