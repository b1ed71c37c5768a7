import type { NewUuid } from '../../lib/ids.ts';
import type { Database } from '../../platform/db/database.ts';
import type { Log } from '../../platform/log/log.ts';
import type { AccountsService } from '../accounts/accounts.service.ts';
import type { MailService } from '../mail/mail.service.ts';
import { explain, type Suspicion } from './abuse.model.ts';
import { findSuspiciousSessions, raiseAlert } from './abuse.system.ts';

export interface AlertParts {
  database: Database;
  accounts: Pick<AccountsService, 'ownerEmail'>;
  mail: Pick<MailService, 'send' | 'wake'>;
  newUuid: NewUuid;
  /** Called after the commit with accounts that have new facts. */
  onFact: (accountId: string) => void;
  log: Log;
}

/**
 * Makes alerts of what was seen: a row, a fact, tightened limits, and a mail to the owner, but for what was alerted
 * within a day, which only counts on.
 */
export async function raiseAlerts(parts: AlertParts, suspicions: readonly Suspicion[]): Promise<void> {
  for (const suspicion of suspicions) {
    const { accountId, kind, mode, detail } = suspicion;
    const ids = { id: parts.newUuid(), eventId: parts.newUuid() };
    const isNew = await parts.database.system(async (tx) => {
      const raised = await raiseAlert(tx, suspicion, ids);
      if (!raised) return false;
      const to = await parts.accounts.ownerEmail(tx, accountId);
      const values = { accountName: 'your account', mode, ...explain(kind, detail) };
      if (to !== null) await parts.mail.send(tx, { accountId, to, template: 'suspicious_activity', values });
      return true;
    });
    if (!isNew) continue;
    parts.onFact(accountId);
    parts.mail.wake();
    parts.log.warn({ kind, mode, detail }, 'suspicious activity');
  }
}

/** Looks at what sessions did in the last hour. */
export async function inspectSessions(parts: AlertParts): Promise<void> {
  await raiseAlerts(parts, await parts.database.systemOnce(findSuspiciousSessions));
}
