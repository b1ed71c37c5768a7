import type { AccountTx, SystemTx } from '../../platform/db/scope.ts';

export interface NewMailRow {
  id: string;
  accountId: string | null;
  template: string;
  content: Uint8Array;
  status: 'queued' | 'kept';
  at: Date;
}

/** Somebody to write to about an account. */
export interface Recipient {
  email: string;
  /** UUID of the owner whose address it is; null for the account's own address. */
  userId: string | null;
}

/** Its owners, and its own address where that is another. */
export function findRecipients(tx: AccountTx | SystemTx, accountId: string): Promise<Recipient[]> {
  return tx.query<Recipient>('select email, user_id as "userId" from app.written_to($1)', [accountId]);
}

/** Appends a mail. In account scope, one of that account. */
export async function insertMail(tx: AccountTx | SystemTx, mail: NewMailRow): Promise<void> {
  await tx.query(
    `insert into mails (id, account_id, template, content, status, created_at) values ($1, $2, $3, $4, $5, $6)`,
    [mail.id, mail.accountId, mail.template, mail.content, mail.status, mail.at],
  );
}
