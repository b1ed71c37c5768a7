import type { SystemTx } from '../../platform/db/scope.ts';

/** A quota of live mode of which most, or all, is used and nobody was written to about it. */
export interface QuotaNotice {
  account_id: string;
  kind: 'quota_warning' | 'quota_reached';
  account_name: string;
  used: number;
  message_limit: number;
  period_end: Date;
}

/** Takes quotas to write about and marks them written; the mails are part of the same transaction. */
export async function takeQuotaNotices(tx: SystemTx, limit: number): Promise<QuotaNotice[]> {
  return tx.query<QuotaNotice>(
    `with due as (
       select q.account_id, q.reached_at is not null and q.reached_mailed_at is null as reached,
         app.messages_used(q) as used
       from quotas q
       where q.mode = 'live' and q.period_end > now() and (
         q.warned_at is not null and q.warning_mailed_at is null
         or q.reached_at is not null and q.reached_mailed_at is null)
       limit $1 for update of q skip locked
     ), marked as (
       update quotas q set warning_mailed_at = coalesce(q.warning_mailed_at, now()),
         reached_mailed_at = case when due.reached then now() else q.reached_mailed_at end
       from due where q.account_id = due.account_id and q.mode = 'live'
       returning q.account_id, due.reached, due.used, q.message_limit, q.period_end
     ) select m.account_id, case when m.reached then 'quota_reached' else 'quota_warning' end as kind,
         a.name as account_name, m.used::float8 as used, m.message_limit::float8 as message_limit, m.period_end
       from marked m join accounts a on a.id = m.account_id`,
    [limit],
  );
}

/**
 * Says that a quota is used up where the message that used it up could not: others held credit at that moment.
 * @returns the accounts
 */
export async function markReached(tx: SystemTx): Promise<string[]> {
  const rows = await tx.query<{ account_id: string }>(
    `with late as (
       select q as quota from quotas q
       where q.reached_at is null and q.message_limit > 0 and q.unreserved <= 0 and q.period_end > now()
       for update skip locked
     ), marked as (select m.* from late cross join lateral app.mark_quota(late.quota) m)
     update quotas q set warned_at = m.warned_at, reached_at = m.reached_at
     from marked m where q.account_id = m.account_id and q.mode = m.mode and m.reached_at is not null
     returning q.account_id`,
  );
  return rows.map((row) => row.account_id);
}

export interface ContentNotice {
  account_id: string;
  account_name: string;
  plan_name: string;
  days_before: number;
  days_after: number;
  until: Date;
}

/** Takes accounts whose plan has come to keep contents for less time and marks them written to. */
export async function takeContentNotices(tx: SystemTx, limit: number): Promise<ContentNotice[]> {
  return tx.query<ContentNotice>(
    `with due as (
       select g.account_id, g.until from app.content_graces g where g.mailed_at is null
       limit $1 for update skip locked
     ) update app.content_graces g set mailed_at = now() from due, accounts a, subscriptions s, app.plans p
       where g.account_id = due.account_id and g.until = due.until and a.id = g.account_id
         and s.account_id = g.account_id and p.id = s.plan
       returning g.account_id, a.name as account_name, p.name as plan_name, g.days as days_before,
         app.kept_content_days_at(g.account_id, g.until) as days_after, g.until`,
    [limit],
  );
}

export interface TrialNotice {
  account_id: string;
  account_name: string;
  trial_ends_at: Date;
}

/** Takes trials that end within so many days and marks them written to. */
export async function takeTrialNotices(
  tx: SystemTx,
  withinDays: number,
  limit: number,
): Promise<TrialNotice[]> {
  return tx.query<TrialNotice>(
    `with due as (
       select s.account_id from subscriptions s
       where s.status = 'trialing' and s.trial_mail_at is null
         and s.trial_ends_at between now() and now() + make_interval(days => $1)
       limit $2 for update skip locked
     ) update subscriptions s set trial_mail_at = now() from due, accounts a
       where s.account_id = due.account_id and a.id = s.account_id
       returning s.account_id, a.name as account_name, s.trial_ends_at`,
    [withinDays, limit],
  );
}
