import type { SystemTx } from '../../platform/db/scope.ts';

/** News of an outbound message from the lane that holds its session. */
export interface Outcome {
  id: string;
  sessionId: string;
  epoch: number;
  status: 'sending' | 'sent' | 'failed' | 'queued';
  at: Date;
  /** When it was put on the wire; `at` where not said. */
  sendingAt?: Date | undefined;
  lid?: string | undefined;
  errorCode?: string | undefined;
  errorDetail?: string | undefined;
  wireCode?: number | undefined;
  /** With `queued`: not to be tried again before. */
  notBefore?: Date | undefined;
}

/** Names one hold of a session: several may write through one process when a lease has moved on. */
export function holdKey({ sessionId, epoch }: { sessionId: string; epoch: number }): string {
  return `${sessionId}/${epoch}`;
}

/** A receipt for a message that this session sent. */
export interface ReceiptNews {
  sessionId: string;
  epoch: number;
  wireId: string;
  status: 'delivered' | 'read' | 'played';
  at: Date;
}

interface Changed {
  account_id: string;
}

const ANNOUNCE = `select account_id, app.announce(event_id, account_id, mode, 'message.' || news, session_id, id, snapshot, now())
  from changed where news in ('sent', 'delivered', 'read', 'played', 'failed')`;

/**
 * Writes outcomes, at most one a message; those whose lease moved on, and those that news overtook, change nothing.
 * @returns the accounts that have new facts.
 */
export async function writeOutcomes(
  tx: SystemTx,
  outcomes: readonly Outcome[],
  newUuid: () => string,
): Promise<string[]> {
  const rows = await tx.query<Changed>(
    `with news as (
       select * from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::timestamptz[], $6::text[], $7::text[],
         $8::text[], $9::integer[], $10::timestamptz[], $11::uuid[], $12::timestamptz[])
         as n (id, session_id, epoch, status, at, lid, error_code, error_detail, wire_code, not_before, event_id, sending_at)
     ), changed as (
       update messages m
       set status = case when app.message_rank(m.status) < app.message_rank(n.status) or n.status = 'queued'
           then n.status else m.status end,
         sending_at = coalesce(m.sending_at, n.sending_at, n.at),
         sent_at = case when n.status = 'sent' then n.at else m.sent_at end,
         failed_at = case when n.status = 'failed' then n.at else m.failed_at end,
         contact_lid = coalesce(m.contact_lid, n.lid),
         error_code = case when n.status = 'sending' then m.error_code else n.error_code end,
         error_detail = case when n.status = 'sending' then m.error_detail else n.error_detail end,
         wire_code = case when n.status = 'sending' then m.wire_code else n.wire_code end,
         not_before = case when n.status = 'sending' then m.not_before else n.not_before end,
         attempts = m.attempts + case when n.status = 'sending' then 0 else 1 end
       from news n join session_leases l on l.session_id = n.session_id and l.epoch = n.epoch
       where m.id = n.id and case n.status
         when 'failed' then app.message_rank(m.status) <= 2
         when 'queued' then app.message_rank(m.status) <= 1
         when 'sent' then m.sent_at is null and m.status <> 'failed'
         else app.message_rank(m.status) < app.message_rank(n.status) end
       returning m.id, m.account_id, m.mode, m.session_id, m.status, app.message_snapshot(m) as snapshot, n.event_id,
         n.status as news
     ) ${ANNOUNCE}`,
    [
      outcomes.map((o) => o.id),
      outcomes.map((o) => o.sessionId),
      outcomes.map((o) => o.epoch),
      outcomes.map((o) => o.status),
      outcomes.map((o) => o.at),
      outcomes.map((o) => o.lid ?? null),
      outcomes.map((o) => o.errorCode ?? null),
      outcomes.map((o) => o.errorDetail ?? null),
      outcomes.map((o) => o.wireCode ?? null),
      outcomes.map((o) => o.notBefore ?? null),
      outcomes.map(newUuid),
      outcomes.map((o) => o.sendingAt ?? null),
    ],
  );
  return rows.map((row) => row.account_id);
}

/**
 * Writes receipts of one status, at most one a message. One that came late, after a further status, leaves its time.
 * @returns the accounts that have new facts, and the holds (by {@link holdKey}) that were still their session's.
 */
export async function writeReceipts(
  tx: SystemTx,
  status: ReceiptNews['status'],
  receipts: readonly ReceiptNews[],
  newUuid: () => string,
): Promise<{ accounts: string[]; held: Set<string> }> {
  const column = `${status}_at`;
  const rows = await tx.query<
    { account_id: string } | { session_id: string; epoch: string; account_id: null }
  >(
    `with news as (
       select * from unnest($1::uuid[], $2::bigint[], $3::text[], $4::timestamptz[], $5::uuid[])
         as n (session_id, epoch, wire_id, at, event_id)
     ), held as (
       select session_id, epoch from session_leases where (session_id, epoch) in (select session_id, epoch from news)
     ), changed as (
       update messages m set ${column} = n.at,
         status = case when app.message_rank(m.status) < app.message_rank($6) then $6 else m.status end
       from news n join held h using (session_id, epoch)
       where m.session_id = n.session_id and m.wire_id = n.wire_id and m.direction = 'outbound'
         and m.${column} is null and m.status <> 'failed'
       returning m.id, m.account_id, m.mode, m.session_id, m.status, app.message_snapshot(m) as snapshot, n.event_id,
         $6::text as news
     ), facts as (${ANNOUNCE})
     select account_id, null::uuid as session_id, null::bigint as epoch from facts
     union all select null, session_id, epoch from held`,
    [
      receipts.map((r) => r.sessionId),
      receipts.map((r) => r.epoch),
      receipts.map((r) => r.wireId),
      receipts.map((r) => r.at),
      receipts.map(newUuid),
      status,
    ],
  );
  return {
    accounts: rows.flatMap((row) => row.account_id ?? []),
    held: new Set(
      rows.flatMap((row) =>
        row.account_id === null ? [holdKey({ sessionId: row.session_id, epoch: Number(row.epoch) })] : [],
      ),
    ),
  };
}
