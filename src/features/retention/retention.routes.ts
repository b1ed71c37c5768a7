import { defineRoute, type Route } from '../../platform/http/route.ts';
import { retentionErrors } from './retention.errors.ts';
import { retentionBody, retentionView, showRetention } from './retention.schema.ts';
import type { RetentionService } from './retention.service.ts';

/** How long contents are kept: for the whole account, both modes. */
export function retentionRoutes(retention: RetentionService): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/v1/account/retention',
      operationId: 'getRetention',
      summary: 'Get how long contents are kept',
      tag: 'Account',
      scope: 'account:read',
      problems: [retentionErrors.accountGone],
      answers: { 200: { description: 'The setting.', schema: retentionView } },
      handler: async ({ ctx }) => ({ status: 200, body: showRetention(await retention.keptContent(ctx)) }),
    }),
    defineRoute({
      method: 'PATCH',
      path: '/v1/account/retention',
      operationId: 'updateRetention',
      summary: 'Set how long contents are kept',
      description:
        'Holds for both modes. Contents that the new setting no longer covers are dropped within a day (`none`: within minutes).',
      tag: 'Account',
      scope: 'account:write',
      wholeAccount: true,
      problems: [retentionErrors.accountGone, retentionErrors.beyondPlan],
      body: retentionBody,
      answers: { 200: { description: 'The new setting.', schema: retentionView } },
      handler: async ({ ctx, body }) => {
        const days = body.content === 'none' ? 0 : body.content_days;
        return { status: 200, body: showRetention(await retention.keepContent(ctx, days)) };
      },
    }),
  ];
}
