import { defineRoute, type Route } from '../../platform/http/route.ts';
import { accountErrors } from './accounts.errors.ts';
import { accountChange, accountView, showAccount } from './accounts.schema.ts';
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
      handler: async ({ ctx }) => ({ status: 200, body: showAccount(await accounts.get(ctx), ctx) }),
    }),
    defineRoute({
      method: 'PATCH',
      path: '/v1/account',
      operationId: 'updateAccount',
      summary: 'Change the account of the key',
      description: 'Changes hold for both modes.',
      tag: 'Account',
      scope: 'account:write',
      wholeAccount: true,
      problems: [accountErrors.notFound],
      body: accountChange,
      answers: { 200: { description: 'The account as it is now.', schema: accountView } },
      handler: async ({ ctx, body }) => ({
        status: 200,
        body: showAccount(await accounts.update(ctx, body), ctx),
      }),
    }),
  ];
}
