import type { AccountTx } from '../../platform/db/scope.ts';
import type { Direction, MessageRow, MessageStatus } from './messages.model.ts';

export interface MessageFilter {
  sessionId?: string | undefined;
  /** Digits. Matches the person under both of WhatsApp's names. */
  contactPhone?: string | undefined;
  direction?: Direction | undefined;
  status?: MessageStatus | undefined;
  since?: Date | undefined;
  until?: Date | undefined;
  limit: number;
  /** UUID of the last message of the page before. */
  after?: string | undefined;
}

export async function findMessages(tx: AccountTx, ids: readonly string[]): Promise<MessageRow[]> {
  return tx.query<MessageRow>('select * from messages where id = any($1::uuid[])', [ids]);
}

/** Newest first. Times bound the id, which is what partitions are cut by. */
export function listMessages(tx: AccountTx, filter: MessageFilter): Promise<MessageRow[]> {
  return tx.query<MessageRow>(
    `select * from messages m where ($1::uuid is null or session_id = $1)
       and ($2::text is null or contact_phone = $2
         or contact_lid in (select lid from contact_identities where phone = $2))
       and ($3::text is null or direction = $3) and ($4::text is null or status = $4)
       and ($5::timestamptz is null or id >= app.uuid_floor($5)) and ($6::timestamptz is null or id < app.uuid_floor($6))
       and ($7::uuid is null or id < $7)
     order by id desc limit $8`,
    [
      filter.sessionId ?? null,
      filter.contactPhone ?? null,
      filter.direction ?? null,
      filter.status ?? null,
      filter.since ?? null,
      filter.until ?? null,
      filter.after ?? null,
      filter.limit,
    ],
  );
}

/**
 * Sessions that a message without `session` could mean, at most two: the connected ones, or where none is connected
 * those that come back by themselves.
 */
export async function findUsableSessions(tx: AccountTx): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(
    `with usable as (
       select id, status = 'connected' as connected from sessions
       where desired = 'running' and phone is not null
         and status in ('starting', 'connecting', 'connected', 'disconnected')
     ) select id from usable where connected or not exists (select from usable where connected) limit 2`,
  );
  return rows.map((row) => row.id);
}
