import type { SystemTx } from '../../platform/db/scope.ts';
import { EVENTS_CHANNEL } from './events.events.ts';

/** Tells listeners that these accounts have new events. */
export async function notifyAccounts(tx: SystemTx, accountIds: readonly string[]): Promise<void> {
  await tx.query('select pg_notify($1, account) from unnest($2::text[]) as account', [
    EVENTS_CHANNEL,
    accountIds,
  ]);
}
