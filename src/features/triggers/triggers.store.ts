import type { Mode } from '../../lib/mode.ts';
import type { AccountTx } from '../../platform/db/scope.ts';
import type { TriggerRow } from './triggers.model.ts';

export type NewTriggerRow = Omit<TriggerRow, 'fired_count' | 'last_fired_at' | 'created_at' | 'updated_at'>;

/** Triggers of the account and mode. Others that count at the same time wait until this transaction ends. */
export async function countTriggers(tx: AccountTx, accountId: string, mode: Mode): Promise<number> {
  await tx.query(`select pg_advisory_xact_lock(hashtextextended('triggers/' || $1 || '/' || $2, 0))`, [
    accountId,
    mode,
  ]);
  const [row] = await tx.query<{ count: number }>('select count(*)::integer as count from triggers');
  return row?.count ?? 0;
}

/** Whether the account's plan comes with triggers in live mode. */
export async function planHasTriggers(tx: AccountTx): Promise<boolean> {
  const [row] = await tx.query<{ has: boolean }>(`select app.plan_has('triggers') as has`);
  return row?.has === true;
}

export async function insertTrigger(tx: AccountTx, trigger: NewTriggerRow): Promise<TriggerRow> {
  const [row] = await tx.query<TriggerRow>(
    `insert into triggers (id, account_id, mode, name, session_ids, match, pattern, fold_case, fold_accents, reply,
       reply_url, secret, fallback_reply, priority, cooldown_seconds, active_hours, include_groups, max_in_a_row, enabled)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19) returning *`,
    [trigger.id, trigger.account_id, trigger.mode, ...settingsOf(trigger)],
  );
  if (row === undefined) throw new Error('insert returned no trigger');
  return row;
}

/** Writes the settings of a locked trigger. */
export async function updateTrigger(tx: AccountTx, trigger: TriggerRow): Promise<TriggerRow> {
  const [row] = await tx.query<TriggerRow>(
    `update triggers set name = $2, session_ids = $3, match = $4, pattern = $5, fold_case = $6, fold_accents = $7,
       reply = $8, reply_url = $9, secret = $10, fallback_reply = $11, priority = $12, cooldown_seconds = $13,
       active_hours = $14, include_groups = $15, max_in_a_row = $16, enabled = $17, updated_at = $18
     where id = $1 returning *`,
    [trigger.id, ...settingsOf(trigger), trigger.updated_at],
  );
  if (row === undefined) throw new Error('the locked trigger is gone');
  return row;
}

function settingsOf(trigger: NewTriggerRow): unknown[] {
  return [
    trigger.name,
    trigger.session_ids,
    trigger.match,
    trigger.pattern,
    trigger.fold_case,
    trigger.fold_accents,
    trigger.reply,
    trigger.reply_url,
    trigger.secret,
    trigger.fallback_reply,
    trigger.priority,
    trigger.cooldown_seconds,
    trigger.active_hours,
    trigger.include_groups,
    trigger.max_in_a_row,
    trigger.enabled,
  ];
}

/** Newest first; `after` is the UUID of the last trigger of the page before. */
export function listTriggers(
  tx: AccountTx,
  page: { limit: number; after?: string | undefined },
): Promise<TriggerRow[]> {
  return tx.query<TriggerRow>(
    'select * from triggers where $2::uuid is null or id < $2 order by id desc limit $1',
    [page.limit, page.after ?? null],
  );
}

export async function findTrigger(tx: AccountTx, id: string): Promise<TriggerRow | undefined> {
  const [row] = await tx.query<TriggerRow>('select * from triggers where id = $1', [id]);
  return row;
}

/** The same, locked against other changes until the transaction ends. */
export async function lockTrigger(tx: AccountTx, id: string): Promise<TriggerRow | undefined> {
  const [row] = await tx.query<TriggerRow>('select * from triggers where id = $1 for update', [id]);
  return row;
}

/** @returns false where there is no such trigger */
export async function deleteTrigger(tx: AccountTx, id: string): Promise<boolean> {
  const rows = await tx.query('delete from triggers where id = $1 returning id', [id]);
  return rows.length > 0;
}
