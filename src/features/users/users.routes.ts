import { defineRoute, type Operation, type Route } from '../../platform/http/route.ts';
import { userErrors } from './users.errors.ts';
import { profileChange, showMe, userView } from './users.schema.ts';
import type { UsersService } from './users.service.ts';

const own = {
  tag: 'People',
  scope: undefined,
  access: 'user',
  path: '/v1/me',
  problems: [userErrors.notFound],
} satisfies Partial<Operation>;

/** The user who is signed in. */
export function userRoutes(users: Pick<UsersService, 'me' | 'updateMe'>): Route[] {
  return [
    defineRoute({
      ...own,
      method: 'GET',
      operationId: 'getMe',
      summary: 'Get the user who is signed in',
      description:
        'With the accounts that they belong to; `Pingr-Account` says which one other calls act for.',
      answers: { 200: { description: 'The user.', schema: userView } },
      handler: async ({ ctx }) => ({ status: 200, body: showMe(await users.me(ctx)) }),
    }),
    defineRoute({
      ...own,
      method: 'PATCH',
      operationId: 'updateMe',
      summary: 'Change the user who is signed in',
      body: profileChange,
      answers: { 200: { description: 'The user as they are now.', schema: userView } },
      handler: async ({ ctx, body }) => ({ status: 200, body: showMe(await users.updateMe(ctx, body)) }),
    }),
  ];
}
