import { randomBytes } from 'node:crypto';
import { inject, onTestFinished } from 'vitest';
import { mailQueue } from '../../../src/features/mail/mail.jobs.ts';
import { createMailService } from '../../../src/features/mail/mail.service.ts';
import { createMailCipher } from '../../../src/features/mail/mail-cipher.ts';
import { readMailbox } from '../../../src/features/mail/read-mailbox.ts';
import { createSendMail } from '../../../src/features/mail/send-mail.ts';
import { newUuid } from '../../../src/lib/ids.ts';
import { systemClock } from '../../../src/lib/system-clock.ts';
import type { JobContext } from '../../../src/platform/jobs/job-worker.ts';
import { createSmtpMailer } from '../../../src/platform/mail/smtp.ts';
import { createTestDatabase } from '../../support/database.ts';
import { createTestJobs } from '../../support/jobs.ts';
import { silentLog } from '../../support/log.ts';

export type Mails = Awaited<ReturnType<typeof openMails>>;

/** A database and queues of this test file, and mail services on them. */
export async function openMails() {
  const db = await createTestDatabase(inject('postgresUrl'));
  const queues = await createTestJobs();
  const { database, vault } = db;
  const cipher = createMailCipher({ vault, masterKey: randomBytes(32) });

  return {
    db,
    queues,
    cipher,
    /** The service, with a mail server or without. */
    service: (delivers = true, jobs: Pick<typeof queues.jobs, 'queue'> = queues.jobs) =>
      createMailService({ database, jobs, cipher, newUuid, clock: systemClock, log: silentLog, delivers }),
    /** What a worker does with a job of the queue. */
    handler: (url: string, timeoutMs = 10_000) =>
      createSendMail({
        database,
        cipher,
        mailer: createSmtpMailer({ url, from: 'no-reply@example.com', timeoutMs }),
      }),
    /** Works on the queue until the test is over. */
    async work(handler: ReturnType<typeof createSendMail>) {
      const worker = await queues.jobs.work(mailQueue, handler, { concurrency: 2 });
      onTestFinished(() => worker.close(500));
    },
    mailbox: () => readMailbox({ database, cipher }),
    /** All rows, oldest first. */
    rows: async () => (await db.owner.query('select * from mails order by created_at, id')).rows,
    async clear() {
      await db.owner.query('delete from mails');
    },
    async close() {
      await queues.close();
      await db.close();
    },
  };
}

/** A try by hand, for what a queue would take hours over. */
export function aTry(over: Partial<JobContext> = {}): JobContext {
  return {
    id: '1',
    attempt: 1,
    lastAttempt: false,
    signal: new AbortController().signal,
    log: silentLog,
    ...over,
  };
}
