import type { SystemTx } from '../../platform/db/scope.ts';
import { holdKey } from './progress.system.ts';

/** A message from WhatsApp, sealed and ready to store. */
export interface InboundRow {
  id: string;
  eventId: string;
  sessionId: string;
  epoch: number;
  fromMe: boolean;
  phone: string | undefined;
  lid: string | undefined;
  name: string | undefined;
  type: string;
  sealedContent: Uint8Array;
  quotedWireId: string | undefined;
  wireId: string;
  /** WhatsApp's time. */
  sentAt: Date;
  /** When it got here, by our clock: what lists go by. */
  arrivedAt: Date;
}

/**
 * Stores messages with their facts, skipping those stored before (WhatsApp repeats what was not acknowledged).
 * Statements of one session must follow each other: two at once would not see each other's messages.
 * @param rows at most one of a session and wire id
 * @returns which holds (by {@link holdKey}) were still the session's, and the accounts that have new facts.
 */
export async function storeInbound(
  tx: SystemTx,
  rows: readonly InboundRow[],
): Promise<{ held: Set<string>; accounts: string[] }> {
  const stored = await tx.query<{ session_id: string; epoch: string; account_id: string }>(
    `with news as (
       select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::boolean[], $6::text[], $7::text[],
         $8::text[], $9::text[], $10::bytea[], $11::text[], $12::text[], $13::timestamptz[],
         $14::timestamptz[])
         as n (id, event_id, session_id, epoch, from_me, phone, lid, name, type, content, quoted, wire_id, sent_at, arrived_at)
     ), held as (
       select l.session_id, l.epoch, l.account_id, l.mode from session_leases l
       where (l.session_id, l.epoch) in (select session_id, epoch from news) order by l.session_id for share
     ), fresh as (
       insert into messages (id, account_id, mode, session_id, direction, contact_phone, contact_lid, contact_name, type,
         content, context_wire_id, context_message_id, wire_id, status, accepted_at, sent_at)
       select n.id, h.account_id, h.mode, n.session_id, case when n.from_me then 'outbound' else 'inbound' end,
         n.phone, n.lid, n.name, n.type, n.content, n.quoted,
         coalesce(
           (select q.id from messages q where q.session_id = n.session_id and q.wire_id = n.quoted limit 1),
           (select q.id from news q where q.session_id = n.session_id and q.epoch = n.epoch and q.wire_id = n.quoted)),
         n.wire_id, case when n.from_me then 'sent' else 'received' end, n.arrived_at, n.sent_at
       from news n join held h using (session_id, epoch)
       where not exists (select from messages m where m.session_id = n.session_id and m.wire_id = n.wire_id)
       returning *
     ), people as (
       insert into contact_identities (account_id, mode, lid, phone)
       select distinct on (account_id, mode, contact_lid) account_id, mode, contact_lid, contact_phone from fresh
       where contact_lid is not null and contact_phone is not null
       on conflict (account_id, mode, lid) do update set phone = excluded.phone, seen_at = now()
         where contact_identities.phone <> excluded.phone
     ), facts as (
       select f.account_id, app.announce(n.event_id, f.account_id, f.mode, 'message.' || f.status, f.session_id, f.id,
         jsonb_build_object('status', f.status, 'sent_at', f.sent_at), now()) from fresh f join news n on n.id = f.id
     ) select h.session_id, h.epoch, h.account_id, (select count(*) from facts) from held h`,
    [
      rows.map((r) => r.id),
      rows.map((r) => r.eventId),
      rows.map((r) => r.sessionId),
      rows.map((r) => r.epoch),
      rows.map((r) => r.fromMe),
      rows.map((r) => r.phone ?? null),
      rows.map((r) => r.lid ?? null),
      rows.map((r) => r.name ?? null),
      rows.map((r) => r.type),
      rows.map((r) => r.sealedContent),
      rows.map((r) => r.quotedWireId ?? null),
      rows.map((r) => r.wireId),
      rows.map((r) => r.sentAt),
      rows.map((r) => r.arrivedAt),
    ],
  );
  return {
    held: new Set(stored.map((r) => holdKey({ sessionId: r.session_id, epoch: Number(r.epoch) }))),
    accounts: stored.map((r) => r.account_id),
  };
}
