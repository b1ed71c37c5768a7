import type { AccountTx } from '../../platform/db/scope.ts';
import type { Check } from './checks.system.ts';
import type { TriggerRow } from './triggers.model.ts';

/** Triggers of the account and mode that are switched on, in the order in which they are asked. */
export function enabledTriggers(tx: AccountTx): Promise<TriggerRow[]> {
  return tx.query<TriggerRow>('select * from triggers where enabled order by priority desc, id');
}

/** Why a trigger may not fire for a sender now. */
export interface SenderLimits {
  /** It fired for them a moment ago. */
  cooling: boolean;
  /** They got as many automated replies in a row as it allows. */
  exhausted: boolean;
}

/** Messages that are looked through for an hour of quiet. */
const LOOK_BACK = 500;

/**
 * How triggers stand with the sender of a message. In a row are automated replies with no other message to the sender
 * between them, and no hour in which neither wrote. Automated replies are found by an index of their own, so that this
 * costs next to nothing for who had few.
 */
export async function senderLimits(
  tx: AccountTx,
  { sessionId, contact, phone }: Pick<Check, 'sessionId' | 'contact' | 'phone'>,
  triggerIds: readonly string[],
): Promise<Map<string, SenderLimits>> {
  const rows = await tx.query<SenderLimits & { id: string }>(
    `select t.id,
       coalesce(s.last_fired_at + make_interval(secs => t.cooldown_seconds) > now(), false) as cooling,
       coalesce(not exists (
         select from messages h where h.account_id = t.account_id and h.contact_phone = $3 and h.session_id = $2
           and h.id > nth.id and h.direction = 'outbound' and not h.automated
       ) and not exists (
         select from (
           select c.at - lag(c.at) over (order by c.id) as quiet from (
             select id, coalesce(case when sending_at is null then sent_at end, accepted_at) as at from messages m where m.account_id = t.account_id and m.contact_phone = $3
               and m.session_id = $2 and m.id >= nth.id order by id desc limit ${LOOK_BACK}
           ) as c
         ) as pauses where quiet >= interval '1 hour'
       ) and nth.id is not null, false) as exhausted
     from triggers t
     left join trigger_senders s on s.trigger_id = t.id and s.contact = $4
     left join lateral (
       select m.id from messages m where m.session_id = $2 and m.contact_phone = $3 and m.automated
       order by m.id desc offset t.max_in_a_row - 1 limit 1
     ) nth on true
     where t.id = any($1::uuid[])`,
    [triggerIds, sessionId, phone, contact],
  );
  return new Map(rows.map(({ id, ...limits }) => [id, limits]));
}

/** Ends a check; false where it was claimed anew meanwhile, or ended. */
export async function takeCheck(
  tx: AccountTx,
  { messageId, attempt }: Pick<Check, 'messageId' | 'attempt'>,
): Promise<boolean> {
  const rows = await tx.query(
    'delete from trigger_checks where message_id = $1 and attempts = $2 returning message_id',
    [messageId, attempt],
  );
  return rows.length > 0;
}

/** Starts the sender's cool-down; false where it has not ended: they wrote to another session at the same moment. */
export async function startCooldown(tx: AccountTx, trigger: TriggerRow, contact: string): Promise<boolean> {
  const rows = await tx.query(
    `insert into trigger_senders as s (trigger_id, account_id, mode, contact, last_fired_at) values ($1, $2, $3, $4, now())
     on conflict (trigger_id, contact) do update set last_fired_at = excluded.last_fired_at
       where s.last_fired_at + make_interval(secs => $5) <= excluded.last_fired_at
     returning trigger_id`,
    [trigger.id, trigger.account_id, trigger.mode, contact, trigger.cooldown_seconds],
  );
  return rows.length > 0;
}

/** Appends a fact about the message. */
export async function announce(
  tx: AccountTx,
  fact: { id: string; type: string; check: Check; trigger: TriggerRow; data: object; at: Date },
): Promise<void> {
  const { id, type, check, trigger, data, at } = fact;
  await tx.query('select app.announce($1, $2, $3, $4, $5, $6, $7, $8)', [
    id,
    trigger.account_id,
    trigger.mode,
    type,
    check.sessionId,
    check.messageId,
    data,
    at,
  ]);
}

/** Counts a firing; false where the trigger is gone or switched off. Last in a transaction: others wait for the row. */
export async function countFiring(tx: AccountTx, id: string, at: Date): Promise<boolean> {
  const rows = await tx.query(
    `update triggers set fired_count = fired_count + 1, last_fired_at = greatest(last_fired_at, $2)
     where id = $1 and enabled returning id`,
    [id, at],
  );
  return rows.length > 0;
}
