import type { Mode } from '../../lib/mode.ts';
import type { SystemTx } from '../../platform/db/scope.ts';

/** A received message that triggers have to look at, claimed by this process. Ids are UUIDs. */
export interface Check {
  messageId: string;
  /** Counts the claims: a later one makes this one void. */
  attempt: number;
  sessionId: string;
  /** Digits of the number, or the LID where the number is not known. */
  contact: string;
  /** Digits of the number, where known by any message. */
  phone: string | null;
  name: string | null;
  /** When it was sent. */
  sentAt: Date;
  /** How long it has waited here, in milliseconds. */
  waitedMs: number;
  /** Whether nothing may fire at it: gone, not received, or another Pingr number's automated message. */
  isMute: boolean;
}

interface CheckRow {
  message_id: string;
  attempts: number;
  session_id: string;
  contact: string | null;
  phone: string | null;
  name: string | null;
  sent_at: Date | null;
  waited_ms: string;
  is_mute: boolean;
}

/** How many rows are looked through for senders to serve, for each that is claimed. */
const LOOK_THROUGH = 4;

/**
 * Claims the oldest unclaimed check of each sender, so that one sender's messages are dealt with one after the other in
 * the order in which they came. Senders that somebody is dealing with are left out.
 */
export async function claimChecks(
  tx: SystemTx,
  claim: { accountId: string; mode: Mode; limit: number; leaseMs: number },
): Promise<Check[]> {
  const rows = await tx.query<CheckRow>(
    `with own as not materialized (
       select c.message_id, c.session_id, c.claimed_until > now() as is_claimed,
         coalesce(m.contact_phone, m.contact_lid, '') as contact
       from trigger_checks c left join messages m on m.id = c.message_id
       where c.account_id = $1 and c.mode = $2
     ), busy as materialized (
       select distinct session_id, contact from own where is_claimed
     ), waiting as materialized (
       select o.message_id, o.session_id, o.contact from own o
       where o.is_claimed is not true
         and not exists (select from busy b where b.session_id = o.session_id and b.contact = o.contact)
       order by o.message_id limit $3 * ${LOOK_THROUGH}
     ), first as (
       select distinct on (session_id, contact) message_id from waiting order by session_id, contact, message_id
     ), free as materialized (
       select c.message_id from trigger_checks c
       where c.message_id in (select message_id from first order by message_id limit $3)
         and (c.claimed_until is null or c.claimed_until <= now())
       for update skip locked
     ), claimed as (
       update trigger_checks c set claimed_until = now() + make_interval(secs => $4 / 1000.0), attempts = c.attempts + 1
       from free f where c.message_id = f.message_id
       returning c.message_id, c.session_id, c.attempts, c.created_at
     )
     select k.message_id, k.attempts, k.session_id, m.contact_name as name, coalesce(m.sent_at, m.accepted_at) as sent_at,
       coalesce(m.contact_phone, m.contact_lid) as contact,
       coalesce(m.contact_phone, (
         select i.phone from contact_identities i where i.account_id = $1 and i.mode = $2 and i.lid = m.contact_lid
       )) as phone,
       extract(epoch from clock_timestamp() - k.created_at) * 1000 as waited_ms,
       m.direction is distinct from 'inbound'
         or exists (select from messages o where o.wire_id = m.wire_id and o.automated) as is_mute
     from claimed k left join messages m on m.id = k.message_id order by k.message_id`,
    [claim.accountId, claim.mode, claim.limit, claim.leaseMs],
  );
  return rows.map(toCheck);
}

function toCheck(row: CheckRow): Check {
  return {
    messageId: row.message_id,
    attempt: row.attempts,
    sessionId: row.session_id,
    contact: row.contact ?? '',
    phone: row.phone,
    name: row.name,
    sentAt: row.sent_at ?? new Date(0),
    waitedMs: Number(row.waited_ms),
    isMute: row.is_mute || row.contact === null,
  };
}

type Claimed = Pick<Check, 'messageId' | 'attempt'>;

/** Ends checks at which nothing fired; those that were claimed anew are left alone. */
export async function endChecks(tx: SystemTx, checks: readonly Claimed[]): Promise<void> {
  await tx.query(
    `delete from trigger_checks c using unnest($1::uuid[], $2::smallint[]) as done (message_id, attempts)
     where c.message_id = done.message_id and c.attempts = done.attempts`,
    [checks.map((check) => check.messageId), checks.map((check) => check.attempt)],
  );
}

/** Puts a check off. Until then its sender's later messages wait as well. */
export async function postponeCheck(tx: SystemTx, check: Claimed, delayMs: number): Promise<void> {
  await tx.query(
    `update trigger_checks set claimed_until = now() + make_interval(secs => $3 / 1000.0)
     where message_id = $1 and attempts = $2`,
    [check.messageId, check.attempt, delayMs],
  );
}

/** Accounts that have checks nobody deals with. Walks the index from account to account. */
export async function findWaiting(tx: SystemTx, mode: Mode): Promise<string[]> {
  const rows = await tx.query<{ account_id: string }>(
    `with recursive owner as (
       (select account_id from trigger_checks order by account_id limit 1)
       union all
       select (select c.account_id from trigger_checks c where c.account_id > o.account_id order by c.account_id limit 1)
       from owner o where o.account_id is not null
     ) select account_id from owner o where account_id is not null and exists (
       select from trigger_checks c where c.account_id = o.account_id and c.mode = $1
         and (c.claimed_until is null or c.claimed_until <= now()))`,
    [mode],
  );
  return rows.map((row) => row.account_id);
}
