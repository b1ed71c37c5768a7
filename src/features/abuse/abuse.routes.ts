import { z } from 'zod';
import type { Database } from '../../platform/db/database.ts';
import { pageOf, pageQuery, toPage } from '../../platform/http/page.ts';
import { defineRoute, type Route } from '../../platform/http/route.ts';
import { alertView, showAlert } from './abuse.schema.ts';
import { listAlerts } from './alerts.store.ts';

/** What was seen that looks like misuse. */
export function abuseRoutes(database: Pick<Database, 'accountOnce'>): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/v1/account/alerts',
      operationId: 'listAlerts',
      summary: 'List alerts',
      description:
        'What looked like misuse of the account or by it: keys used in new countries, from new networks, or guessed at, bursts of first contacts, failing messages, bans. A test key sees those of test mode.',
      tag: 'Account',
      scope: 'account:read',
      query: z.strictObject(pageQuery('alert')),
      answers: { 200: { description: 'A page of alerts.', schema: pageOf(alertView, 'AlertList') } },
      handler: async ({ ctx: { accountId, mode }, query }) => {
        const scope = mode === 'live' ? { accountId } : { accountId, mode };
        const found = await database.accountOnce(scope, (tx) =>
          listAlerts(tx, { ...query, limit: query.limit + 1 }),
        );
        return { status: 200, body: toPage(found, query, 'alert', showAlert) };
      },
    }),
  ];
}
