import { mailQueue } from '../features/mail/mail.jobs.ts';
import { createMailService, type MailService } from '../features/mail/mail.service.ts';
import { createMailCipher, type MailCipher } from '../features/mail/mail-cipher.ts';
import { createSendMail } from '../features/mail/send-mail.ts';
import { newUuid } from '../lib/ids.ts';
import type { Mode } from '../lib/mode.ts';
import { systemClock } from '../lib/system-clock.ts';
import { createSmtpMailer } from '../platform/mail/smtp.ts';
import { createOutboundHttp, type OutboundHttp, type OutboundPolicy } from '../platform/net/outbound-http.ts';
import type { ApiConfig, WorkerConfig } from './config.ts';
import type { Core } from './core.ts';

/** What reaches out of the installation: calls to customers' servers, and mails. */
export interface Outbound {
  http: OutboundHttp;
  /** Where a mode may call. */
  policyFor: (mode: Mode) => OutboundPolicy;
  mails: MailService;
  mailCipher: MailCipher;
}

/** Opens them; the lifecycle closes them. */
export async function openOutbound(core: Core, config: ApiConfig | WorkerConfig): Promise<Outbound> {
  const { database, vault, jobs, log, lifecycle } = core;
  const http = await lifecycle.open('outbound http', () => createOutboundHttp(), {
    close: (opened) => opened.close(),
  });
  const cipher = createMailCipher({ vault, masterKey: config.masterKey });
  const delivers = config.smtpUrl !== undefined;
  return {
    http,
    policyFor: (mode) =>
      mode === 'live'
        ? { https: 'required', loopback: false }
        : { https: 'optional', loopback: config.webhookAllowLoopback ?? false },
    mails: createMailService({
      database,
      jobs,
      cipher,
      newUuid,
      clock: systemClock,
      log,
      delivers,
      print: config.mailbox ? printMail : undefined,
    }),
    mailCipher: cipher,
  };
}

/** Not through the log: the mail may hold a link that signs in. */
function printMail({ to, subject, text }: { to: string; subject: string; text: string }): void {
  process.stdout.write(`\nMail to ${to}: ${subject}\n\n${text.replaceAll(/^/gm, '  ')}\n`);
}

/** Sends mails where there is a server for them. */
export async function runMails(core: Core, config: WorkerConfig, { mailCipher }: Outbound): Promise<void> {
  const { database, jobs, lifecycle } = core;
  const { smtpUrl: url, mailFrom: from } = config;
  if (url === undefined) return;
  const send = createSendMail({ database, cipher: mailCipher, mailer: createSmtpMailer({ url, from }) });
  await lifecycle.open('mails', () => jobs.work(mailQueue, send, { concurrency: 4 }), {
    close: (opened) => opened.close(2_000),
  });
}
