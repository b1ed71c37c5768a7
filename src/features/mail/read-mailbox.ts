import { toId } from '../../lib/ids.ts';
import type { Database } from '../../platform/db/database.ts';
import { isUnavailable } from '../../platform/db/db.errors.ts';
import { listMails } from './mail.system.ts';
import type { MailCipher } from './mail-cipher.ts';

/** A mail as the mailbox shows it. */
export interface MailboxEntry {
  id: string;
  account_id: string | null;
  to: string;
  subject: string;
  text: string;
  html: string;
  template: string;
  status: 'queued' | 'failed' | 'kept';
  last_error: string | null;
  created_at: string;
}

/** Most mails that the mailbox shows. */
const LIMIT = 100;

/** Reads what has been written and not been sent, newest first, of all accounts. */
export async function readMailbox({
  database,
  cipher,
}: {
  database: Pick<Database, 'systemOnce'>;
  cipher: MailCipher;
}): Promise<MailboxEntry[]> {
  const rows = await database.systemOnce((tx) => listMails(tx, LIMIT));
  const entries = await Promise.all(
    rows.map(async ({ id, account_id, template, status, last_error, content, created_at }) => {
      const opened = await cipher.open({ id, accountId: account_id }, content).catch((error: unknown) => {
        if (isUnavailable(error)) throw error;
        // Of an account that is being erased: its key is gone before its rows.
        return undefined;
      });
      const at = created_at.toISOString();
      const account = account_id && toId('account', account_id);
      return opened && { id, account_id: account, ...opened, template, status, last_error, created_at: at };
    }),
  );
  return entries.filter((entry) => entry !== undefined);
}
