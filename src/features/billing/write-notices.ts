import type { Database } from '../../platform/db/database.ts';
import type { SystemTx } from '../../platform/db/scope.ts';
import type { MailService } from '../mail/mail.service.ts';
import * as system from './notices.system.ts';

export interface NoticeParts {
  database: Database;
  mail: Pick<MailService, 'sendToOwners' | 'wake'>;
  /** Page on which a plan is chosen. */
  plansUrl: string;
  onFact: (accountId: string) => void;
}

const BATCH = 100;
/** Before a trial ends. */
const TRIAL_NOTICE_DAYS = 2;

/** Writes to accounts about their quotas, trials that end and contents that go sooner, each once. */
export async function writeNotices(parts: NoticeParts): Promise<void> {
  const { database, mail, onFact } = parts;
  for (const accountId of await database.system(system.markReached)) onFact(accountId);
  while ((await database.system((tx) => writeQuotaMails(tx, parts))) === BATCH);
  while ((await database.system((tx) => writeTrialMails(tx, parts))) === BATCH);
  while ((await database.system((tx) => writeContentMails(tx, parts))) === BATCH);
  mail.wake();
}

/** @returns how many quotas were looked at */
async function writeQuotaMails(tx: SystemTx, { mail, plansUrl: url }: NoticeParts): Promise<number> {
  const notices = await system.takeQuotaNotices(tx, BATCH);
  for (const { account_id: accountId, account_name: accountName, kind, ...quota } of notices) {
    const { used, message_limit: limit, period_end: resetsAt } = quota;
    const values = { accountName, unit: 'messages', used, limit, resetsAt, url };
    await mail.sendToOwners(tx, { accountId, template: kind, values });
  }
  return notices.length;
}

async function writeTrialMails(tx: SystemTx, { mail, plansUrl: url }: NoticeParts): Promise<number> {
  const notices = await system.takeTrialNotices(tx, TRIAL_NOTICE_DAYS, BATCH);
  for (const { account_id: accountId, account_name: accountName, trial_ends_at: endsAt } of notices) {
    const values = { accountName, endsAt, url };
    await mail.sendToOwners(tx, { accountId, template: 'trial_ending', values });
  }
  return notices.length;
}

async function writeContentMails(tx: SystemTx, { mail, plansUrl: url }: NoticeParts): Promise<number> {
  const notices = await system.takeContentNotices(tx, BATCH);
  for (const { account_id: accountId, until: at, ...notice } of notices) {
    // The larger plan may be back already.
    if (notice.days_after >= notice.days_before) continue;
    const { account_name: accountName, plan_name: planName } = notice;
    const { days_before: daysBefore, days_after: daysAfter } = notice;
    const values = { accountName, planName, daysBefore, daysAfter, at, url };
    await mail.sendToOwners(tx, { accountId, template: 'content_shortened', values });
  }
  return notices.length;
}
