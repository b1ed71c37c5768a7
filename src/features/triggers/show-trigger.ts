import { toId } from '../../lib/ids.ts';
import type { TriggerRow } from './triggers.model.ts';
import type { TriggerView } from './triggers.schema.ts';

/** A trigger with the secret that its questions are signed with. */
export interface TriggerWithSecret {
  view: TriggerView;
  secret: string | null;
}

/** A stored trigger as the API shows it: without its secret. */
export function showTrigger(row: TriggerRow): TriggerView {
  const { id, session_ids, fired_count, last_fired_at, created_at, updated_at } = row;
  return {
    id: toId('trigger', id),
    mode: row.mode,
    name: row.name,
    sessions: session_ids?.map((session) => toId('session', session)) ?? null,
    match: row.match,
    pattern: row.pattern,
    fold_case: row.fold_case,
    fold_accents: row.fold_accents,
    reply: row.reply,
    reply_url: row.reply_url,
    fallback_reply: row.fallback_reply,
    priority: row.priority,
    cooldown_seconds: row.cooldown_seconds,
    active_hours: row.active_hours,
    include_groups: row.include_groups,
    max_in_a_row: row.max_in_a_row,
    enabled: row.enabled,
    fired_count: Number(fired_count),
    last_fired_at: last_fired_at?.toISOString() ?? null,
    created_at: created_at.toISOString(),
    updated_at: updated_at.toISOString(),
  };
}
