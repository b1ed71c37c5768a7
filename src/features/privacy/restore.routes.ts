import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import { PingrError } from '../../lib/errors.ts';
import { exampleId, idParams } from '../../platform/http/api-fields.ts';
import { authErrors } from '../../platform/http/http.errors.ts';
import { definePublicRoute, defineRoute, type Route } from '../../platform/http/route.ts';
import type { ClosuresService } from './closures.service.ts';
import { privacyErrors } from './privacy.errors.ts';

/** Where the link in the mail leads. Whoever holds it needs no key: closing has ended them all. */
export const RESTORE_PATH = '/account/restore';

const restoreBody = z
  .strictObject({
    token: z
      .string()
      .max(200)
      .meta({
        description:
          'What follows `token=` in the link of the mail, or the `restore_token` that the deletion answered.',
        example: `${exampleId('accountClosure')}.dGhlIHNpZ25hdHVyZQ`,
      }),
  })
  .meta({
    id: 'AccountRestore',
    description: 'Says which deletion is meant, and that its mail or answer was received.',
  });

const restoredView = z
  .object({ name: z.string().meta({ description: 'Name of the account.', example: 'Acme' }) })
  .meta({ id: 'RestoredAccount', description: 'An account that is back.' });

/** The same for programs. */
export function restoreRoute(closures: Pick<ClosuresService, 'restore'>): Route {
  return definePublicRoute({
    method: 'POST',
    path: '/v1/account/restore',
    operationId: 'restoreAccount',
    summary: 'Undo the deletion of an account',
    description:
      'Within seven days of the deletion. Keys work again and sessions reconnect. An owner who signs in needs no token: `POST /v1/me/accounts/{id}/restore`.',
    tag: 'Account',
    problems: [privacyErrors.restoreLinkInvalid],
    body: restoreBody,
    answers: { 200: { description: 'The account is back.', schema: restoredView } },
    handler: async ({ body, http: { ip, userAgent, requestId } }) => ({
      status: 200,
      body: await closures.restore(body.token, { ip, userAgent, requestId }),
    }),
  });
}

/** The same for an owner who signs in, whatever became of the mail. */
export function restoreOwnRoute(closures: Pick<ClosuresService, 'restoreOwn'>): Route {
  return defineRoute({
    method: 'POST',
    path: '/v1/me/accounts/:id/restore',
    operationId: 'restoreOwnAccount',
    summary: 'Undo the deletion of an account of which the user is an owner',
    description: 'Within seven days of the deletion. Keys work again and sessions reconnect.',
    tag: 'People',
    scope: undefined,
    access: 'user',
    problems: [privacyErrors.notClosed, authErrors.scopeMissing],
    params: idParams('account'),
    answers: { 200: { description: 'The account is back.', schema: restoredView } },
    handler: async ({ ctx, params: { id } }) => ({ status: 200, body: await closures.restoreOwn(ctx, id) }),
  });
}

/**
 * Serves the page behind the link (`GET`), which only asks, since mail programs open links by themselves, and what its
 * button does (`POST`).
 */
export async function serveRestore(
  app: FastifyInstance,
  closures: Pick<ClosuresService, 'restore'>,
): Promise<void> {
  // A scope of its own, for forms are understood here only.
  await app.register(async (pages) => {
    pages.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string' },
      (_request, _body, done) => done(null, {}),
    );
    pages.get(RESTORE_PATH, { schema: { hide: true } }, async (_request, reply) => sendPage(reply, 200, ASK));
    pages.post(RESTORE_PATH, { schema: { hide: true } }, async (request, reply) => {
      try {
        const { ip, id: requestId, headers } = request;
        await closures.restore(tokenOf(request.query), { ip, userAgent: headers['user-agent'], requestId });
        return sendPage(reply, 200, RESTORED);
      } catch (error) {
        if (error instanceof PingrError && error.definition.status < 500)
          return sendPage(reply, 422, REFUSED);
        throw error;
      }
    });
  });
}

function tokenOf(input: unknown): string {
  const parsed = restoreBody.safeParse(input);
  if (!parsed.success) throw privacyErrors.restoreLinkInvalid();
  return parsed.data.token;
}

/** An empty `action` posts to the page's own address, token included. */
const ASK = `<h1>Keep this account?</h1>
<p>The account is closed and will be erased. If you keep it, its keys work again and its sessions reconnect.</p>
<form method="post" action=""><button>Keep the account</button></form>`;

const RESTORED = '<h1>The account is back</h1><p>Its keys work again, and its sessions reconnect.</p>';

const REFUSED =
  '<h1>This link does not work any more</h1><p>It works once, within seven days, until the account is erased.</p>';

function sendPage(reply: FastifyReply, status: number, body: string): FastifyReply {
  return reply
    .code(status)
    .type('text/html; charset=utf-8')
    .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'")
    .send(
      `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
        `<title>Pingr</title><body style="font-family: sans-serif; max-width: 36em; margin: 4em auto">${body}</body></html>`,
    );
}
