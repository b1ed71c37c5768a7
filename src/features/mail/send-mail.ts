import type { Database } from '../../platform/db/database.ts';
import type { JobHandler } from '../../platform/jobs/job-worker.ts';
import { MailError } from '../../platform/mail/mail-error.ts';
import type { Mailer } from '../../platform/mail/smtp.ts';
import { beginTry, markFailed, markSent } from './mail.system.ts';
import type { MailCipher } from './mail-cipher.ts';

export interface SendMailParts {
  database: Pick<Database, 'systemOnce'>;
  cipher: MailCipher;
  mailer: Mailer;
}

/**
 * Works on the mail queue. A mail that the server refuses for good is marked so; any other failure is tried again, and
 * marked with the last try. A crash after the server took a mail over sends it twice, under one Message-ID.
 */
export function createSendMail({ database, cipher, mailer }: SendMailParts): JobHandler<{ mail_id: string }> {
  return async ({ mail_id: id }, { signal, lastAttempt, log }) => {
    const mail = await database.systemOnce((tx) => beginTry(tx, id));
    if (mail === undefined) return;
    const { template, account_id: accountId } = mail;
    try {
      const content = await cipher.open({ id, accountId }, mail.content);
      await mailer.send({ id, ...content }, signal);
    } catch (error) {
      const { word, final } = error instanceof MailError ? error : { word: 'failed', final: false };
      // A process that closes proves nothing: the sweep hands the mail over again.
      const over = final || (lastAttempt && !signal.aborted);
      await database.systemOnce((tx) => markFailed(tx, id, word, over));
      if (!final) throw error;
      log.warn({ mail: id, template, reason: word }, 'mail refused');
      return;
    }
    await database.systemOnce((tx) => markSent(tx, id));
    log.info({ mail: id, template }, 'mail sent');
  };
}
