import type { Clock } from '../../lib/clock.ts';
import type { NewUuid } from '../../lib/ids.ts';
import type { Database } from '../../platform/db/database.ts';
import type { AccountTx, SystemTx } from '../../platform/db/scope.ts';
import type { Jobs } from '../../platform/jobs/jobs.ts';
import type { Log } from '../../platform/log/log.ts';
import { mailQueue } from './mail.jobs.ts';
import { findRecipients, insertMail, type Recipient } from './mail.store.ts';
import { findJobless, markHanded } from './mail.system.ts';
import type { MailCipher } from './mail-cipher.ts';
import { type RenderedMail, renderMail } from './templates/mail-draft.ts';
import { draftMail, type MailTemplate, type MailValues } from './templates/templates.ts';

export interface NewMail<T extends MailTemplate> {
  /** UUID of the account it is about; null for people without one, in system scope. */
  accountId: string | null;
  /** One address. */
  to: string;
  template: T;
  values: MailValues[T];
}

/** A mail to everybody whom an account's affairs concern. */
export type OwnersMail<T extends MailTemplate> = Omit<NewMail<T>, 'to' | 'accountId'> & {
  /** UUID. */
  accountId: string;
};

/** Writes to people. A mail is part of the transaction that it is about: both happen or neither. */
export interface MailService {
  /** Appends a mail. Nothing leaves before the commit. @throws Error when the account was erased */
  send<T extends MailTemplate>(tx: AccountTx | SystemTx, mail: NewMail<T>): Promise<void>;
  /**
   * The same to each of the account's owners, and to its own address where that is another. Nothing happens where there
   * is nobody.
   */
  sendToOwners<T extends MailTemplate>(tx: AccountTx | SystemTx, mail: OwnersMail<T>): Promise<void>;
  /** Whom that would reach. */
  owners(tx: AccountTx | SystemTx, accountId: string): Promise<Recipient[]>;
  /** Call after the commit: the mail leaves at once instead of with the next sweep. Returns at once; never fails. */
  wake(): void;
  /**
   * Makes jobs for mails that have none: those of now, and those that a crash or a lost queue left. For the upkeep.
   * @returns how many
   */
  sweep(): Promise<number>;
}

export interface MailDependencies {
  database: Pick<Database, 'systemOnce'>;
  jobs: Pick<Jobs, 'queue'>;
  cipher: MailCipher;
  newUuid: NewUuid;
  clock: Clock;
  log: Log;
  /** False without a mail server: mails are kept for the mailbox. */
  delivers: boolean;
  /** Shows a mail that was kept to the person at the terminal, who has no other way to get it. */
  print?: ((mail: { to: string } & RenderedMail) => void) | undefined;
}

const BATCH = 200;

export function createMailService(deps: MailDependencies): MailService {
  const { log, delivers } = deps;
  const sweep = () => makeJobs(deps);
  return {
    send: (tx, mail) => append(deps, tx, mail),

    async sendToOwners(tx, mail) {
      for (const { email: to } of await findRecipients(tx, mail.accountId)) {
        await append(deps, tx, { ...mail, to });
      }
    },

    owners: findRecipients,

    wake() {
      if (!delivers) return;
      sweep().catch((error: unknown) => log.warn({ err: error }, 'mails not handed over, the sweep will'));
    },

    sweep,
  };
}

async function append<T extends MailTemplate>(
  { cipher, newUuid, clock, log, delivers, print }: MailDependencies,
  tx: AccountTx | SystemTx,
  { accountId, to, template, values }: NewMail<T>,
): Promise<void> {
  const id = newUuid();
  const mail = { to, ...renderMail(draftMail(template, values)) };
  const content = await cipher.seal({ id, accountId }, mail);
  const status = delivers ? 'queued' : 'kept';
  await insertMail(tx, { id, accountId, template, content, status, at: clock.now() });
  if (delivers) return;
  log.info({ mail: id, template }, 'no mail server: mail kept for the mailbox');
  print?.(mail);
}

/** Jobs first, the note after: a crash in between makes a second job, which finds nothing to do. */
async function makeJobs({ database, jobs }: MailDependencies): Promise<number> {
  for (let made = 0; ; ) {
    const mails = await database.systemOnce((tx) => findJobless(tx, BATCH));
    if (mails.length > 0) {
      await jobs.queue(mailQueue).addBulk(
        mails.map(({ id, attempts }) => ({
          payload: { mail_id: id },
          options: { jobId: `${id}-${attempts}` },
        })),
      );
      const ids = mails.map(({ id }) => id);
      await database.systemOnce((tx) => markHanded(tx, ids));
    }
    made += mails.length;
    if (mails.length < BATCH) return made;
  }
}
