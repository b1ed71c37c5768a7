import type { NewUuid } from '../../lib/ids.ts';
import type { Database } from '../../platform/db/database.ts';
import type { Log } from '../../platform/log/log.ts';
import type { MailService } from '../mail/mail.service.ts';
import { explain, type Suspicion } from './abuse.model.ts';
import { findSuspiciousSessions, raiseAlert } from './abuse.system.ts';

export interface AlertParts {
  database: Database;
  mail: Pick<MailService, 'sendToOwners' | 'wake'>;
  newUuid: NewUuid;
  /** Called after the commit with accounts that have new facts. */
  onFact: (accountId: string) => void;
  log: Log;
}

/**
 * Makes alerts of what was seen: a row, a fact, tightened limits, and mails to the owners, but for what was alerted
 * within a day, which only counts on.
 */
export async function raiseAlerts(parts: AlertParts, suspicions: readonly Suspicion[]): Promise<void> {
  for (const suspicion of suspicions) {
    const { accountId, kind, mode, detail } = suspicion;
    const ids = { id: parts.newUuid(), eventId: parts.newUuid() };
    const isNew = await parts.database.system(async (tx) => {
      const raised = await raiseAlert(tx, suspicion, ids);
      if (!raised) return false;
      const values = { accountName: 'your account', mode, ...explain(kind, detail) };
      await parts.mail.sendToOwners(tx, { accountId, template: 'suspicious_activity', values });
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
