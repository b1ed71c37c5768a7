import type { Mode } from '../../lib/mode.ts';
import type { SystemTx } from '../../platform/db/scope.ts';
import { SESSION_CHANGED_CHANNEL, SESSION_STATUS_EVENT } from './sessions.events.ts';
import type { SessionRow, SessionStatus } from './sessions.model.ts';

/** A worker's hold on a session. Writes that name an epoch which is no longer the session's change nothing. */
export interface Hold {
  sessionId: string;
  accountId: string;
  mode: Mode;
  epoch: number;
}

export interface StatusReport {
  status: SessionStatus;
  code?: string | undefined;
  detail?: string | undefined;
  /** False when the session needs no socket until the customer acts. */
  wanted: boolean;
}

/** The session under a lease that still has this epoch; locks the lease, so that it cannot move meanwhile. */
const HELD = `held as (
  select s.* from session_leases l join sessions s on s.id = l.session_id
  where l.session_id = $1 and l.epoch = $2 for share of l
)`;

const TELL = `pg_notify('${SESSION_CHANGED_CHANNEL}', id::text)`;

/** Each returns false when the lease has moved on and nothing was written. */
export async function writeStatus(
  tx: SystemTx,
  hold: Hold,
  report: StatusReport,
  eventId: string,
): Promise<boolean> {
  const rows = await tx.query(
    `with ${HELD}, changed as (
       update sessions s set status = $3, status_code = $4, status_detail = $5, status_at = now(),
         connected_at = case when $3 = 'connected' then now() else s.connected_at end,
         qr = case when $3 = 'pairing' then s.qr end, qr_expires_at = case when $3 = 'pairing' then s.qr_expires_at end
       from held where s.id = held.id returning s.*
     ), lease as (
       update session_leases l set wanted = $6, attempts = case when $3 = 'connected' then 0 else l.attempts end
       from changed where l.session_id = changed.id
     ), fact as (
       select app.announce($7, changed.account_id, changed.mode, '${SESSION_STATUS_EVENT}', changed.id, null,
         jsonb_build_object('id', changed.id, 'status', $3::text, 'phone', changed.phone, 'code', $4::text, 'detail', $5::text),
         now())
       from changed join held on held.id = changed.id
       where (held.status, held.status_code) is distinct from (changed.status, changed.status_code)
     )
     select ${TELL}, (select count(*) from fact) from changed`,
    [
      hold.sessionId,
      hold.epoch,
      report.status,
      report.code ?? null,
      report.detail ?? null,
      report.wanted,
      eventId,
    ],
  );
  return rows.length > 0;
}

/** @returns what its customer calls the session */
export async function readName(tx: SystemTx, sessionId: string): Promise<string | undefined> {
  const [row] = await tx.query<{ name: string }>('select name from sessions where id = $1', [sessionId]);
  return row?.name;
}

export async function writeQr(
  tx: SystemTx,
  hold: Hold,
  qr: { text: string; expiresAt: Date },
): Promise<boolean> {
  const rows = await tx.query(
    `with ${HELD}, changed as (
       update sessions s set qr = $3, qr_expires_at = $4 from held where s.id = held.id returning s.id
     ) select ${TELL} from changed`,
    [hold.sessionId, hold.epoch, qr.text, qr.expiresAt],
  );
  return rows.length > 0;
}

/** What WhatsApp answered for a number; written only while that number is the one asked for. */
export type PairingAnswer = { phone: string } & ({ code: string } | { error: string });

export async function writePairingAnswer(tx: SystemTx, hold: Hold, answer: PairingAnswer): Promise<boolean> {
  const rows = await tx.query(
    `with ${HELD}, changed as (
       update sessions s set pairing_code = $3, pairing_error = $4
       from held where s.id = held.id and s.pairing_phone = $5 returning s.id
     ) select held.id, (select ${TELL} from changed) from held`,
    [
      hold.sessionId,
      hold.epoch,
      'code' in answer ? answer.code : null,
      'error' in answer ? answer.error : null,
      answer.phone,
    ],
  );
  return rows.length > 0;
}

interface Linked {
  phone?: string | undefined;
  lid?: string | undefined;
  name?: string | undefined;
  device: number;
}

/** Stores which number is linked. `linked_at` is kept while the number stays the same: warm-up counts from it. */
export async function writeLinked(tx: SystemTx, hold: Hold, self: Linked): Promise<boolean> {
  const rows = await tx.query(
    `with ${HELD}, changed as (
       update sessions s set phone = coalesce($3, s.phone), lid = coalesce($4, s.lid), device = $5,
         display_name = coalesce($6, s.display_name),
         linked_at = case when s.phone = $3 and s.linked_at is not null then s.linked_at else now() end,
         qr = null, qr_expires_at = null, pairing_phone = null, pairing_code = null
       from held where s.id = held.id returning s.id
     ) select ${TELL} from changed`,
    [hold.sessionId, hold.epoch, self.phone ?? null, self.lid ?? null, self.device, self.name ?? null],
  );
  return rows.length > 0;
}

/** Forgets the link: credentials, keys and number. The session may be paired again. */
export async function eraseLink(tx: SystemTx, hold: Hold): Promise<boolean> {
  const rows = await tx.query(
    `with ${HELD}, credentials as (
       delete from session_credentials c using held where c.session_id = held.id
     ), keys as (
       delete from session_keys k using held where k.session_id = held.id
     ) update sessions s set phone = null, lid = null, device = null, linked_at = null, connected_at = null
       from held where s.id = held.id returning s.id`,
    [hold.sessionId, hold.epoch],
  );
  return rows.length > 0;
}

/** Removes the session and all it needed; its messages stay. */
export async function deleteSession(tx: SystemTx, hold: Hold): Promise<boolean> {
  const rows = await tx.query(
    `with ${HELD} delete from sessions s using held where s.id = held.id returning s.id`,
    [hold.sessionId, hold.epoch],
  );
  return rows.length > 0;
}

export async function readHeld(tx: SystemTx, hold: Hold): Promise<SessionRow | undefined> {
  const [row] = await tx.query<SessionRow>(
    `select s.* from sessions s join session_leases l on l.session_id = s.id where s.id = $1 and l.epoch = $2`,
    [hold.sessionId, hold.epoch],
  );
  return row;
}
