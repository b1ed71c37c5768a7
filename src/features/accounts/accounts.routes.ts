import { toId } from '../../lib/ids.ts';
import { defineRoute, type Route } from '../../platform/http/route.ts';
import { accountErrors } from './accounts.errors.ts';
import { accountView } from './accounts.schema.ts';
import type { AccountsService } from './accounts.service.ts';

/** The caller's own account. */
export function accountRoutes(accounts: AccountsService): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/v1/account',
      operationId: 'getAccount',
      summary: 'Get the account of the key',
      description: 'Shows whose key this is, its mode and its scopes: a good first call.',
      tag: 'Account',
      scope: 'account:read',
      problems: [accountErrors.notFound],
      answers: { 200: { description: 'The account.', schema: accountView } },
      handler: async ({ ctx }) => {
        const { id, name, created_at } = await accounts.get(ctx);
        return {
          status: 200,
          body: {
            id: toId('account', id),
            name,
            mode: ctx.mode,
            scopes: [...ctx.scopes],
            created_at: created_at.toISOString(),
          },
        };
      },
    }),
  ];
}
