import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { serveMailbox } from '../../../src/features/mail/mailbox.routes.ts';
import { PingrError } from '../../../src/lib/errors.ts';
import { toId } from '../../../src/lib/ids.ts';
import { seedAccount } from '../../support/database.ts';
import { type Mails, openMails } from './open-mail.ts';

let mails: Mails;
let app: FastifyInstance;
let port: number;
let accountId: string;
beforeAll(async () => {
  mails = await openMails();
  accountId = await seedAccount(mails.db);
  // Believes every proxy, as the worst configuration would.
  app = Fastify({ trustProxy: true });
  app.setErrorHandler((error, _request, reply) => {
    reply.code(error instanceof PingrError ? error.definition.status : 500).send({});
  });
  serveMailbox(app, mails.mailbox);
  await app.listen({ port: 0, host: '127.0.0.1' });
  port = (app.server.address() as AddressInfo).port;
});
afterEach(() => mails.clear());
afterAll(async () => {
  await app.close();
  await mails.close();
});

async function get(path: string, headers: Record<string, string> = {}) {
  return new Promise<{ status: number; text: string; headers: Record<string, unknown> }>(
    (resolve, reject) => {
      request({ port, host: '127.0.0.1', path, headers }, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, text, headers: response.headers }),
        );
      })
        .on('error', reject)
        .end();
    },
  );
}

const write = (to: string, url: string) =>
  mails.db.database.account({ accountId }, (tx) =>
    mails
      .service(false)
      .send(tx, { accountId, to, template: 'magic_link', values: { url, minutesValid: 15 } }),
  );

describe('the mailbox', () => {
  it('shows mails to people, newest first, with links to follow', async () => {
    await write('first@example.com', 'https://pingr.example/in?token=1&x=2');
    await write('second@example.com', 'http://localhost:3000/in?token=2');
    const { status, text, headers } = await get('/mailbox');
    expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(text.indexOf('second@example.com')).toBeLessThan(text.indexOf('first@example.com'));
    expect(text).toContain('<a href="https://pingr.example/in?token=1&#38;x=2" rel="noopener noreferrer">');
    expect(text).toContain('<a href="http://localhost:3000/in?token=2"');
  });

  it('shows them to programs', async () => {
    await write('first@example.com', 'https://pingr.example/in');
    const { data } = JSON.parse((await get('/mailbox/mails')).text);
    expect(data).toEqual([
      {
        id: expect.any(String),
        account_id: toId('account', accountId),
        to: 'first@example.com',
        subject: 'Your sign-in link for Pingr',
        text: expect.stringContaining('https://pingr.example/in'),
        html: expect.stringContaining('<a href="https://pingr.example/in">'),
        template: 'magic_link',
        status: 'kept',
        last_error: null,
        created_at: expect.stringMatching(/Z$/),
      },
    ]);
  });

  it('is a page also when it is empty', async () => {
    expect((await get('/mailbox')).text).toContain('No mail yet');
  });

  it('lets nothing in a mail become markup, and nothing run', async () => {
    await write(
      '"<img src=x onerror=alert(1)>"@example.com',
      'https://x.example/"><script>alert(1)</script>',
    );
    const { text, headers } = await get('/mailbox');
    expect(text).not.toMatch(/<script|<img/);
    const policy = String(headers['content-security-policy']);
    expect(policy).toMatch(/^default-src 'none'; style-src 'sha256-[\w+/]+='; /);
    expect(policy).not.toMatch(/script-src|unsafe/);
  });
});

describe('the mailbox is not there', () => {
  it.each([
    ['through a proxy', { 'x-forwarded-for': '203.0.113.7' }],
    ['through a proxy that claims otherwise', { 'x-forwarded-for': '127.0.0.1' }],
    ['through a proxy of the standard', { forwarded: 'for=127.0.0.1' }],
    ['through a tunnel', { 'cf-connecting-ip': '203.0.113.7' }],
    ['through another proxy', { via: '1.1 proxy' }],
    ['by a public name', { host: 'pingr.example.com' }],
    ['by a name that a page has pointed here', { host: 'rebind.evil.example:3000' }],
    ['from a page of another site', { 'sec-fetch-site': 'cross-site' }],
    ['from a page of a neighbour', { 'sec-fetch-site': 'same-site' }],
  ])('%s', async (_how, headers: Record<string, string>) => {
    for (const path of ['/mailbox', '/mailbox/mails']) expect((await get(path, headers)).status).toBe(404);
  });

  it('for other machines', async () => {
    for (const remoteAddress of ['203.0.113.7', '10.0.0.2', '::ffff:10.0.0.2', '2001:db8::1']) {
      const answer = await app.inject({ url: '/mailbox', remoteAddress, headers: { host: 'localhost' } });
      expect(answer.statusCode).toBe(404);
    }
    for (const remoteAddress of ['127.0.0.1', '::1', '::ffff:127.0.0.1']) {
      const answer = await app.inject({ url: '/mailbox', remoteAddress, headers: { host: '[::1]:3000' } });
      expect(answer.statusCode).toBe(200);
    }
  });
});
