import type { SystemTx } from '../../platform/db/scope.ts';

/** A try is given up for lost after this: longer than the longest pause between two tries of a job. */
const LOST_AFTER = `interval '3 hours'`;

/** Mails that wait and have no job, or had one that was lost. */
export function findJobless(tx: SystemTx, limit: number): Promise<{ id: string; attempts: number }[]> {
  return tx.query(
    `select id, attempts from mails
     where status = 'queued' and (handed_at is null or handed_at < now() - ${LOST_AFTER})
     order by id limit $1`,
    [limit],
  );
}

/** Whether such a mail was written about the account since then. */
export async function isMailedSince(
  tx: SystemTx,
  { accountId, template, since }: { accountId: string; template: string; since: Date },
): Promise<boolean> {
  const rows = await tx.query(
    'select from mails where account_id = $1 and template = $2 and created_at >= $3 limit 1',
    [accountId, template, since],
  );
  return rows.length > 0;
}

/** Notes that the mails have jobs. */
export async function markHanded(tx: SystemTx, ids: readonly string[]): Promise<void> {
  await tx.query(`update mails set handed_at = now() where id = any($1) and status = 'queued'`, [ids]);
}

export interface MailToSend {
  account_id: string | null;
  template: string;
  content: Buffer;
}

/** Begins a try. @returns `undefined` where the mail is gone or needs none */
export async function beginTry(tx: SystemTx, id: string): Promise<MailToSend | undefined> {
  const [row] = await tx.query<MailToSend>(
    `update mails set attempts = attempts + 1, handed_at = now()
     where id = $1 and status = 'queued' and content is not null returning account_id, template, content`,
    [id],
  );
  return row;
}

/** The mail server has it; what it said is forgotten here. */
export async function markSent(tx: SystemTx, id: string): Promise<void> {
  await tx.query(
    `update mails set status = 'sent', sent_at = now(), content = null, last_error = null where id = $1`,
    [id],
  );
}

/** A try failed; with `final`, the last one. */
export async function markFailed(tx: SystemTx, id: string, word: string, final: boolean): Promise<void> {
  await tx.query(
    `update mails set last_error = $2, status = case when $3 then 'failed' else status end where id = $1`,
    [id, word, final],
  );
}

export interface StoredMail {
  id: string;
  account_id: string | null;
  template: string;
  status: 'queued' | 'failed' | 'kept';
  last_error: string | null;
  content: Buffer;
  created_at: Date;
}

/** Mails whose content is still there, newest first. */
export function listMails(tx: SystemTx, limit: number): Promise<StoredMail[]> {
  return tx.query<StoredMail>(
    `select id, account_id, template, status, last_error, content, created_at from mails
     where content is not null order by created_at desc, id desc limit $1`,
    [limit],
  );
}
