import type { AccountTx } from '../../platform/db/scope.ts';
import type { AuditRow } from './audit.model.ts';

/** Which changes are wanted. Ids are UUIDs. */
export interface AuditFilter {
  action?: AuditRow['action'] | undefined;
  actorId?: string | undefined;
  /** A table. */
  targetType?: string | undefined;
  targetId?: string | undefined;
  since?: Date | undefined;
  until?: Date | undefined;
}

/**
 * Changes of the account, newest first. A scope of one mode sees those of the mode alone.
 * @param page.after UUID of the last change of the page before
 */
export function listChanges(
  tx: AccountTx,
  filter: AuditFilter,
  page: { limit: number; after?: string | undefined },
): Promise<AuditRow[]> {
  return tx.query<AuditRow>(
    `select l.id, l.mode, l.at, l.actor_type, l.actor_id, coalesce(k.name, u.email) as actor_name, l.ip, l.user_agent,
       l.request_id, l.action, l.target_type, l.target_id, l.changed, l.before, l.after
     from audit_log l
     left join api_keys k on l.actor_type = 'api_key' and k.id = l.actor_id
     left join users u on l.actor_type = 'user' and u.id = l.actor_id
     where ($2::uuid is null or l.id < $2) and ($3::text is null or l.action = $3)
       and ($4::uuid is null or l.actor_id = $4) and ($5::text is null or l.target_type = $5)
       and ($6::text is null or l.target_id = $6)
       and ($7::timestamptz is null or l.id >= app.uuid_floor($7)) and ($8::timestamptz is null or l.id < app.uuid_floor($8))
     order by l.id desc limit $1`,
    [
      page.limit,
      page.after ?? null,
      filter.action ?? null,
      filter.actorId ?? null,
      filter.targetType ?? null,
      filter.targetId ?? null,
      filter.since ?? null,
      filter.until ?? null,
    ],
  );
}
