import type { SystemTx } from '../../platform/db/scope.ts';
import type { CausedWork } from './event-notifier.ts';

/** Tells listeners that these accounts have new events, sends the notices, and answers what waits to be done. */
export async function announced(
  tx: SystemTx,
  news: { accountIds: readonly string[]; notices: readonly { channel: string; payload: string }[] },
): Promise<CausedWork[]> {
  return tx.query<CausedWork>(
    'select kind, subject, account_id as "accountId", mode from app.announced($1, $2, $3)',
    [news.accountIds, news.notices.map(({ channel }) => channel), news.notices.map(({ payload }) => payload)],
  );
}
