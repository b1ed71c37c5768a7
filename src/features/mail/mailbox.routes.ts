import { isIP } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { requestErrors } from '../../platform/http/http.errors.ts';
import { MAILBOX_CSP, mailboxPage } from './mailbox-page.ts';
import type { MailboxEntry } from './read-mailbox.ts';

/**
 * Serves the mailbox of an installation without a mail server: `/mailbox` for people, `/mailbox/mails` for programs.
 * It holds everybody's sign-in links, so it answers this machine alone; to others it is not there.
 */
export function serveMailbox(app: FastifyInstance, read: () => Promise<MailboxEntry[]>): void {
  const options = {
    schema: { hide: true },
    onRequest: async (request: FastifyRequest) => {
      if (!isLocal(request)) throw requestErrors.notFound();
    },
  };

  app.get('/mailbox', options, async (_request, reply) => {
    const page = mailboxPage(await read());
    return reply.header('content-security-policy', MAILBOX_CSP).type('text/html; charset=utf-8').send(page);
  });

  app.get('/mailbox/mails', options, async (_request, reply) => reply.send({ data: await read() }));
}

/** Headers by which a proxy on this machine shows that somebody else asks through it. */
const FORWARDED = /^(forwarded|via|x-forwarded-|x-real-ip|true-client-ip|cf-|x-client-ip)/;

/**
 * Whether the caller sits at this machine: by the socket, not by what headers claim; asking for it by a name of its own,
 * not one that a hostile page has pointed here; and not from another site's page.
 */
function isLocal({ socket, headers }: FastifyRequest): boolean {
  const site = headers['sec-fetch-site'];
  return (
    isLoopback(socket.remoteAddress ?? '') &&
    isLoopback(hostOf(headers.host ?? '')) &&
    !Object.keys(headers).some((name) => FORWARDED.test(name)) &&
    (site === undefined || site === 'same-origin' || site === 'none')
  );
}

function hostOf(header: string): string {
  const host = header.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return host === 'localhost' ? '127.0.0.1' : host;
}

function isLoopback(address: string): boolean {
  const plain = address.replace(/^::ffff:/i, '');
  return plain === '::1' || (isIP(plain) === 4 && plain.startsWith('127.'));
}
