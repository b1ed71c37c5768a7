import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { MailError } from '../../../src/platform/mail/mail-error.ts';
import { createSmtpMailer, type SmtpOptions } from '../../../src/platform/mail/smtp.ts';
import { PATIENCE_MS } from '../../support/patience.ts';
import { mailServer, oddServer, refusal } from './smtp-servers.ts';

const FROM = 'Pingr <no-reply@mail.example.com>';
const mail = (over: object = {}) => ({
  id: randomUUID(),
  to: 'user@example.com',
  subject: 'Grüße',
  text: 'Hello नमस्ते\n',
  html: '<p>Hello</p>',
  ...over,
});

/** The word for what went wrong, `!` where another try is no use; or `sent`. */
async function outcome(
  options: Partial<SmtpOptions> & { url: string },
  over: object = {},
  signal?: AbortSignal,
) {
  try {
    await createSmtpMailer({ from: FROM, timeoutMs: PATIENCE_MS, ...options }).send(mail(over), signal);
    return 'sent';
  } catch (error) {
    if (!(error instanceof MailError)) throw error;
    expect(String(error)).not.toMatch(/example\.com|thanks/);
    return `${error.word}${error.final ? '!' : ''}`;
  }
}

describe('a mail', () => {
  it('reaches the server with both forms of its text, and headers that say what it is', async () => {
    const server = await mailServer();
    const sent = mail();
    await createSmtpMailer({ url: server.url, from: FROM }).send(sent);
    const [received] = server.received;
    expect(received).toMatchObject({ from: 'no-reply@mail.example.com', to: ['user@example.com'] });
    expect(received?.raw).toContain('From: Pingr <no-reply@mail.example.com>');
    expect(received?.raw).toContain('Subject: =?UTF-8?');
    expect(received?.raw).toContain(`Message-ID: <${sent.id}@mail.example.com>`);
    expect(received?.raw).toContain('Auto-Submitted: auto-generated');
    expect(received?.raw).toMatch(/text\/plain[^]*text\/html/);
  });

  it('goes to one recipient and has no more headers than it should, whatever its fields hold', async () => {
    const server = await mailServer();
    const url = server.url;
    const hostile = 'x\r\nBcc: evil@example.com\r\n\r\nbody';
    await outcome({ url }, { subject: hostile });
    await outcome({ url }, { to: 'user@example.com, evil@example.com' });
    await outcome({ url }, { to: 'user@example.com\r\nRCPT TO:<evil@example.com>' });
    for (const { to, raw } of server.received) {
      expect(to).toHaveLength(1);
      expect(to).not.toContain('evil@example.com');
      expect(raw.split('\r\n\r\n')[0]).not.toMatch(/^Bcc:/im);
    }
  });
});

describe('a mail server', () => {
  it.each([550, 553, 552])('that refuses the recipient with %i is believed', async (status) => {
    const { url } = await mailServer({ onRcptTo: (_to, _session, callback) => callback(refusal(status)) });
    expect(await outcome({ url })).toBe(`refused_${status}!`);
  });

  it('that refuses the sender, or the text, is believed', async () => {
    const sender = await mailServer({ onMailFrom: (_from, _session, callback) => callback(refusal(550)) });
    expect(await outcome(sender)).toBe('refused_550!');
    const text = await mailServer({
      onData: (stream, _session, callback) => stream.resume().on('end', () => callback(refusal(554))),
    });
    expect(await outcome(text)).toBe('refused_554!');
  });

  it.each([421, 450, 451])('that is busy (%i) may be asked again', async (status) => {
    const { url } = await mailServer({ onRcptTo: (_to, _session, callback) => callback(refusal(status)) });
    expect(await outcome({ url })).toMatch(new RegExp(`^(refused_${status}|connection)$`));
  });

  it('that refuses the password may be asked again, once somebody has mended that', async () => {
    const server = await mailServer({ onAuth: (_auth, _session, callback) => callback(refusal(535)) });
    const url = server.url.replace('//', '//user:wrong@');
    expect(await outcome({ url })).toBe('credentials');
  });

  it('is given the password of its URL', async () => {
    const seen: unknown[] = [];
    const server = await mailServer({
      onAuth({ username, password }, _session, callback) {
        seen.push(username, password);
        callback(null, { user: 'x' });
      },
    });
    const url = server.url.replace('//', '//user%40example.com:p%2Fw@');
    expect(await outcome({ url })).toBe('sent');
    expect(seen).toEqual(['user@example.com', 'p/w']);
  });

  it('elsewhere is given no password without TLS, unless its URL says so', async () => {
    const server = await mailServer({ onAuth: (_auth, _session, callback) => callback(null, { user: 'x' }) });
    // A name of this machine that does not look like one.
    const url = server.url.replace('//127.0.0.1', '//user:pw@[::ffff:127.0.0.1]');
    expect(await outcome({ url })).toMatch(/^(tls|protocol|connection)$/);
    expect(server.received).toEqual([]);
    expect(await outcome({ url: `${url}?requireTLS=false` })).toBe('sent');
  });

  it.each([
    ['is not there', undefined, 'connection'],
    ['hangs before its greeting', () => undefined, 'timeout'],
    ['drops the connection', 'drop', 'connection'],
    ['speaks something else', 'http', 'protocol'],
  ])('that %s may be asked again', async (_what, how, word) => {
    const url =
      how === undefined
        ? 'smtp://127.0.0.1:1'
        : await oddServer((socket) => {
            if (how === 'drop') socket.destroy();
            if (how === 'http') socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
          });
    expect(await outcome({ url, ...(word === 'timeout' && { timeoutMs: 500 }) })).toBe(word);
  });

  it('that drops the connection in the middle, or never ends, may be asked again', async () => {
    const dropping = await mailServer({ onData: (stream) => void stream.on('data', () => stream.destroy()) });
    expect(['connection', 'timeout']).toContain(await outcome({ ...dropping, timeoutMs: 5_000 }));
    const hanging = await mailServer({ onData: (stream) => void stream.resume() });
    expect(await outcome({ ...hanging, timeoutMs: 500 })).toBe('timeout');
  });

  it('is left alone when the process closes', async () => {
    const hanging = await mailServer({ onData: (stream) => void stream.resume() });
    const closing = new AbortController();
    const sending = outcome({ ...hanging, timeoutMs: PATIENCE_MS }, {}, closing.signal);
    setTimeout(() => closing.abort(), 100);
    expect(await sending).toBe('failed');
  });
});
