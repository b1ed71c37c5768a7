import type { ErrorFactory } from '../../lib/errors.ts';
import { toId } from '../../lib/ids.ts';
import { definePublicRoute, type RequestFacts, type Route } from '../../platform/http/route.ts';
import type { Entered } from './enter.ts';
import { LINK_MINUTES } from './magic-links.ts';
import { callerErrors, signInErrors } from './sign-in.errors.ts';
import * as schema from './sign-in.schema.ts';
import type { SignInService } from './sign-in.service.ts';

const tag = 'Signing in';

/**
 * Coming in: these ask for no credential.
 * @param acceptProblems what accepting an invitation may be refused for
 */
export function signInRoutes(signIn: SignInService, acceptProblems: readonly ErrorFactory[]): Route[] {
  return [...linkRoutes(signIn), acceptRoute(signIn, acceptProblems), ...tokenRoutes(signIn)];
}

function linkRoutes(signIn: SignInService): Route[] {
  return [
    definePublicRoute({
      tag,
      method: 'GET',
      path: '/v1/auth/method',
      operationId: 'getSignInMethod',
      summary: 'Find out how people sign in here',
      answers: { 200: { description: 'The way.', schema: schema.methodView } },
      handler: async () => {
        const way = signIn.method();
        const projectId = way.method === 'firebase' ? way.projectId : null;
        return { status: 200, body: { method: way.method, firebase_project_id: projectId } };
      },
    }),
    definePublicRoute({
      tag,
      method: 'POST',
      path: '/v1/auth/magic-link',
      operationId: 'requestMagicLink',
      summary: 'Ask for a sign-in link',
      description:
        'By mail; it works once. The answer is the same whether or not anybody has the address, and after five links in a quarter of an hour no more come.',
      cost: 5,
      problems: [signInErrors.firebaseOnly],
      body: schema.magicLinkBody,
      answers: { 202: { description: 'A mail may be on its way.', schema: schema.magicLinkView } },
      handler: async ({ body }) => {
        await signIn.requestLink(body.email);
        return { status: 202, body: { minutes_valid: LINK_MINUTES } };
      },
    }),
  ];
}

function acceptRoute(signIn: SignInService, problems: readonly ErrorFactory[]): Route {
  return definePublicRoute({
    tag,
    method: 'POST',
    path: '/v1/invitations/accept',
    operationId: 'acceptInvitation',
    summary: 'Accept an invitation',
    description: 'The token in the link shows that the caller reads the mails of the address.',
    problems,
    body: schema.signInBody,
    answers: { 200: { description: 'The user is a member.', schema: schema.acceptedView } },
    handler: async ({ body, http }) => {
      const entered = await signIn.accept(body.token, visitorOf(http));
      const { user, tokens, accountId } = entered;
      const role = user.memberships.find(({ account_id }) => account_id === accountId)?.role ?? '';
      return {
        status: 200,
        body: {
          account_id: toId('account', accountId),
          email: user.email,
          role,
          sign_in: tokens === undefined ? null : schema.showTokens(entered, tokens),
        },
      };
    },
  });
}

function tokenRoutes(signIn: SignInService): Route[] {
  return [
    definePublicRoute({
      tag,
      method: 'POST',
      path: '/v1/auth/sign-ins',
      operationId: 'signIn',
      summary: 'Sign in with a link',
      description: 'Somebody new gets an account of their own.',
      problems: [signInErrors.linkInvalid, signInErrors.firebaseOnly, callerErrors.notInvited],
      body: schema.signInBody,
      answers: { 201: { description: 'The user is signed in.', schema: schema.tokensView } },
      handler: async ({ body, http }) => ({
        status: 201,
        body: shown(await signIn.signIn(body.token, visitorOf(http))),
      }),
    }),
    definePublicRoute({
      tag,
      method: 'POST',
      path: '/v1/auth/refresh',
      operationId: 'refreshSignIn',
      summary: 'Refresh a sign-in',
      description:
        'Each refresh token works once; one that is sent twice, half a minute apart, ends the sign-in for everybody who has it.',
      problems: [signInErrors.refreshInvalid, signInErrors.firebaseOnly],
      body: schema.refreshBody,
      answers: { 200: { description: 'New tokens.', schema: schema.tokensView } },
      handler: async ({ body, http }) => ({
        status: 200,
        body: shown(await signIn.refresh(body.refresh_token, visitorOf(http))),
      }),
    }),
  ];
}

function visitorOf({ ip, userAgent }: RequestFacts) {
  return { ip, userAgent };
}

function shown(entered: Entered) {
  if (entered.tokens === undefined) throw new Error('nobody is signed in');
  return schema.showTokens(entered, entered.tokens);
}
