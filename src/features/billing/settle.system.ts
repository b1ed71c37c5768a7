import type { SystemTx } from '../../platform/db/scope.ts';
import { PLANS_CHANNEL } from './billing.events.ts';
import { MIRROR_COLUMNS, type MirrorRow } from './mirrors.model.ts';
import type { Entitlement, SubscriptionStatus } from './subscription.model.ts';

/** What an account is entitled to now, with what it follows from. */
export interface StandingRow {
  account_id: string;
  account_name: string;
  email: string | null;
  plan: string;
  status: SubscriptionStatus;
  trial_ends_at: Date | null;
  source_id: string | null;
  base_plan: string;
  mirrors: MirrorRow[];
}

/** Locks the account's subscription, so that two who settle it do so one after the other. */
export async function lockStanding(tx: SystemTx, accountId: string): Promise<StandingRow | undefined> {
  const [row] = await tx.query<Omit<StandingRow, 'mirrors'>>(
    `select s.account_id, a.name as account_name, a.email, s.plan, s.status, s.trial_ends_at, s.source_id, b.base_plan
     from subscriptions s join accounts a on a.id = s.account_id cross join app.billing_settings b
     where s.account_id = $1 and b.one for update of s`,
    [accountId],
  );
  if (row === undefined) return undefined;
  const mirrors = await tx.query<MirrorRow>(
    `select ${MIRROR_COLUMNS} from provider_subscriptions where account_id = $1
       and (status <> 'cancelled' or coalesce(ended_at, current_end) > now() - interval '1 day')
       and status <> 'expired'`,
    [accountId],
  );
  return { ...row, mirrors };
}

/** Puts the account on what it is entitled to, quotas included. */
export async function writeEntitlement(tx: SystemTx, accountId: string, to: Entitlement): Promise<void> {
  await tx.query(
    `update subscriptions set plan = $2, status = $3, source_id = $4, next_change_at = $5, updated_at = now()
     where account_id = $1`,
    [accountId, to.plan, to.status, to.sourceId, to.until],
  );
  await tx.query('select app.apply_plan($1, $2, $3)', [accountId, to.plan, to.anchor]);
}

/** Appends a fact of the account. Payments are made in earnest, so their facts are live mode's. */
export async function announceBilling(
  tx: SystemTx,
  fact: { id: string; accountId: string; type: string; data: object; at: Date },
): Promise<void> {
  await tx.query(`select app.announce($1, $2, 'live', $3, null, null, $4, $5)`, [
    fact.id,
    fact.accountId,
    fact.type,
    fact.data,
    fact.at,
  ]);
}

/** Tells the processes that keep plans in memory, with the commit. */
export async function noticePlan(tx: SystemTx, accountId: string): Promise<void> {
  await tx.query('select pg_notify($1, $2)', [PLANS_CHANNEL, accountId]);
}

/** Accounts whose entitlement time has changed. */
export async function dueAccounts(tx: SystemTx, limit: number): Promise<string[]> {
  const rows = await tx.query<{ account_id: string }>(
    'select account_id from subscriptions where next_change_at <= now() order by next_change_at limit $1',
    [limit],
  );
  return rows.map((row) => row.account_id);
}

/** Says what accounts have that pay nothing. Where that changes, everybody is settled anew. */
export async function setBasePlan(tx: SystemTx, plan: string): Promise<void> {
  await tx.query(
    `with changed as (
       update app.billing_settings set base_plan = $1 where one and base_plan <> $1 returning 1
     ) update subscriptions set next_change_at = now() from changed where status in ('trialing', 'halted', 'free')`,
    [plan],
  );
}
