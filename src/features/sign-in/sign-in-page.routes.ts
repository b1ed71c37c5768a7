import type { FastifyInstance } from 'fastify';
import { SIGN_IN_CSP, SIGN_IN_PAGE } from './sign-in-page.ts';

const PATH = '/sign-in';

/** Where a sign-in link leads. */
export function signInUrl(publicUrl: string, token: string): string {
  return `${publicUrl}${PATH}#token=${token}`;
}

/** Where an invitation leads. */
export function invitationUrl(publicUrl: string, token: string): string {
  return `${publicUrl}${PATH}#invitation=${token}`;
}

/** Serves the page behind both. */
export function serveSignInPage(app: FastifyInstance): void {
  app.get(PATH, { schema: { hide: true } }, async (_request, reply) =>
    reply.header('content-security-policy', SIGN_IN_CSP).type('text/html; charset=utf-8').send(SIGN_IN_PAGE),
  );
}
