import { createTransport } from 'nodemailer';
import { MailError, toMailError } from './mail-error.ts';

/** A mail as it leaves. */
export interface OutgoingMail {
  /** UUID: the same in every try, so that a mail server that gets it twice can tell. */
  id: string;
  /** One address. */
  to: string;
  subject: string;
  text: string;
  html: string;
}

export interface Mailer {
  /** Resolves once the mail server has taken the mail over. @throws MailError */
  send(mail: OutgoingMail, signal?: AbortSignal): Promise<void>;
}

export interface SmtpOptions {
  /** `smtp://user:password@host:port` (TLS by STARTTLS) or `smtps://…`, with nodemailer's options in the query. */
  url: string;
  /** `Name <address>`, or an address. */
  from: string;
  /** Longest time for one mail, in milliseconds. */
  timeoutMs?: number | undefined;
}

/** Sends by SMTP, one connection a mail. Credentials go over TLS alone, except to this very machine. */
export function createSmtpMailer({ url, from, timeoutMs = 60_000 }: SmtpOptions): Mailer {
  const { hostname, username } = new URL(url);
  const transport = createTransport({
    url,
    // The URL's query goes first, where an operator wants it otherwise.
    requireTLS: username !== '' && !isThisMachine(hostname),
    connectionTimeout: Math.min(10_000, timeoutMs),
    greetingTimeout: Math.min(10_000, timeoutMs),
    socketTimeout: Math.min(20_000, timeoutMs),
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const domain = domainOf(from);

  return {
    async send({ id, to, subject, text, html }, signal) {
      const late = AbortSignal.timeout(timeoutMs);
      try {
        await transport.sendMail({
          from,
          to: { name: '', address: to },
          subject,
          text,
          html,
          messageId: `<${id}@${domain}>`,
          // RFC 3834: nobody's absence note answers it.
          headers: { 'auto-submitted': 'auto-generated' },
          signal: signal === undefined ? late : AbortSignal.any([signal, late]),
        });
      } catch (error) {
        throw late.aborted ? new MailError('timeout', false, error) : toMailError(error);
      }
    },
  };
}

function isThisMachine(hostname: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}

function domainOf(from: string): string {
  return /@([\w.-]+)>?\s*$/.exec(from)?.[1] ?? 'localhost';
}
