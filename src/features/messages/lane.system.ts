import type { SystemTx } from '../../platform/db/scope.ts';
import type { MessageRow } from './messages.model.ts';

/** A queued message with what the lane needs to send it. */
export interface QueuedRow
  extends Pick<
    MessageRow,
    'id' | 'wire_id' | 'contact_phone' | 'attempts' | 'accepted_at' | 'content' | 'context_wire_id'
  > {
  /** The recipient's LID, where a lookup or a message taught it. */
  known_lid: string | null;
  quoted_id: string | null;
  quoted_content: Buffer | null;
  quoted_direction: 'outbound' | 'inbound' | null;
  /** The other end of the conversation that the quoted message is from. */
  quoted_phone: string | null;
  quoted_lid: string | null;
  quoted_type: string | null;
}

/** The next unsent messages of a session, in the order accepted; none where the lease has moved on. */
export function takeQueued(
  tx: SystemTx,
  lane: { sessionId: string; epoch: number; inFlight: readonly string[]; limit: number },
): Promise<QueuedRow[]> {
  return tx.query<QueuedRow>(
    `select m.id, m.wire_id, m.contact_phone, m.attempts, m.accepted_at, m.content, m.context_wire_id,
       coalesce(m.contact_lid, ci.lid) as known_lid, q.id as quoted_id, q.content as quoted_content,
       q.direction as quoted_direction, q.type as quoted_type, q.contact_lid as quoted_lid,
       coalesce(q.contact_phone, (
         select i.phone from contact_identities i
         where i.account_id = m.account_id and i.mode = m.mode and i.lid = q.contact_lid)) as quoted_phone
     from messages m
     join session_leases l on l.session_id = m.session_id and l.epoch = $2
     left join messages q on q.id = m.context_message_id
     left join lateral (
       select lid from contact_identities c
       where c.account_id = m.account_id and c.mode = m.mode and c.phone = m.contact_phone
       order by seen_at desc limit 1
     ) ci on true
     where m.session_id = $1 and m.status in ('queued', 'sending') and m.id <> all($3::uuid[])
       and (m.not_before is null or m.not_before <= now())
     order by m.id limit $4`,
    [lane.sessionId, lane.epoch, lane.inFlight, lane.limit],
  );
}

/** What a message of this session said, by WhatsApp's id: asked when a recipient could not decrypt it. */
export async function findSent(
  tx: SystemTx,
  sessionId: string,
  wireId: string,
): Promise<MessageRow | undefined> {
  const [row] = await tx.query<MessageRow>(
    `select * from messages where session_id = $1 and wire_id = $2 and direction = 'outbound'`,
    [sessionId, wireId],
  );
  return row;
}

/** Which of these messages from WhatsApp are stored already. */
export async function findKnown(
  tx: SystemTx,
  sessionId: string,
  wireIds: readonly string[],
): Promise<Set<string>> {
  const rows = await tx.query<{ wire_id: string }>(
    'select wire_id from messages where session_id = $1 and wire_id = any($2::text[])',
    [sessionId, wireIds],
  );
  return new Set(rows.map((row) => row.wire_id));
}

/** Fails everything a session still had to send, because it has no future. Returns whether there was any. */
export async function failQueued(
  tx: SystemTx,
  lane: { sessionId: string; epoch: number },
  error: { code: string; detail: string },
  newUuid: () => string,
): Promise<boolean> {
  const rows = await tx.query<{ id: string }>(
    `update messages m set status = 'failed', failed_at = now(), error_code = $3, error_detail = $4
     from session_leases l
     where m.session_id = $1 and l.session_id = m.session_id and l.epoch = $2 and m.status in ('queued', 'sending')
     returning m.id`,
    [lane.sessionId, lane.epoch, error.code, error.detail],
  );
  await announceFailures(
    tx,
    rows.map((row) => row.id),
    newUuid,
  );
  return rows.length > 0;
}

/** Appends `message.failed` for messages that failed in this transaction. */
export async function announceFailures(
  tx: SystemTx,
  messageIds: readonly string[],
  newUuid: () => string,
): Promise<void> {
  await tx.query(
    `select app.announce(e.id, m.account_id, m.mode, 'message.failed', m.session_id, m.id, app.message_snapshot(m), now())
     from unnest($1::uuid[], $2::uuid[]) as e (id, message_id) join messages m on m.id = e.message_id`,
    [messageIds.map(newUuid), messageIds],
  );
}

export async function rememberIdentity(
  tx: SystemTx,
  owner: { accountId: string; mode: string },
  identity: { phone: string; lid: string },
): Promise<void> {
  await tx.query(
    `insert into contact_identities (account_id, mode, lid, phone) values ($1, $2, $3, $4)
     on conflict (account_id, mode, lid) do update set phone = excluded.phone, seen_at = now()
       where contact_identities.phone <> excluded.phone`,
    [owner.accountId, owner.mode, identity.lid, identity.phone],
  );
}
