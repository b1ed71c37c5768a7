import { z } from 'zod';
import type { Context } from '../../platform/context.ts';
import { idParams } from '../../platform/http/api-fields.ts';
import { pageOf, pageQuery, toPage } from '../../platform/http/page.ts';
import { defineRoute, type Operation, type Route } from '../../platform/http/route.ts';
import { signInErrors } from './sign-in.errors.ts';
import { showSignIn, signInView } from './sign-in.schema.ts';
import type { SignInService } from './sign-in.service.ts';

const own = { tag: 'Signing in', scope: undefined, access: 'user' } satisfies Partial<Operation>;

/** Where the user is signed in, and signing out. Firebase keeps its own. */
export function signInsRoutes(signIn: Pick<SignInService, 'list' | 'end' | 'endCurrent'>): Route[] {
  return [
    defineRoute({
      ...own,
      method: 'GET',
      path: '/v1/auth/sign-ins',
      operationId: 'listSignIns',
      summary: 'List where the user is signed in',
      query: z.strictObject(pageQuery('signIn')),
      answers: { 200: { description: 'A page of sign-ins.', schema: pageOf(signInView, 'SignInList') } },
      handler: async ({ ctx, query }) => {
        const found = await signIn.list(ctx, { ...query, limit: query.limit + 1 });
        const currentId = currentOf(ctx);
        return { status: 200, body: toPage(found, query, 'signIn', (row) => showSignIn(row, currentId)) };
      },
    }),
    defineRoute({
      ...own,
      method: 'DELETE',
      path: '/v1/auth/sign-ins/:id',
      operationId: 'endSignIn',
      summary: 'Sign out somewhere',
      description: 'Its tokens stop working everywhere within two seconds.',
      problems: [signInErrors.notFound],
      params: idParams('signIn'),
      answers: { 204: { description: 'The sign-in is over.' } },
      handler: async ({ ctx, params: { id } }) => {
        await signIn.end(ctx, id);
        return { status: 204 };
      },
    }),
    defineRoute({
      ...own,
      method: 'POST',
      path: '/v1/auth/sign-out',
      operationId: 'signOut',
      summary: 'Sign out here',
      idempotency: 'none',
      answers: { 204: { description: 'The sign-in of this token is over.' } },
      handler: async ({ ctx }) => {
        await signIn.endCurrent(ctx);
        return { status: 204 };
      },
    }),
  ];
}

function currentOf({ actor }: Context): string | undefined {
  return actor.type === 'user' ? actor.signInId : undefined;
}
