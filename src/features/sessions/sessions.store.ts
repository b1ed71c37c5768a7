import type { Mode } from '../../lib/mode.ts';
import type { AccountTx, SystemTx } from '../../platform/db/scope.ts';
import type { DesiredState, PacingOverrides, SessionRow } from './sessions.model.ts';

interface NewSession {
  id: string;
  accountId: string;
  mode: Mode;
  name: string;
  autoPair: boolean;
  pacing: PacingOverrides | null;
}

/** Inserts the session and its lease, which any worker of the mode may claim at once. */
export async function insertSession(tx: AccountTx, session: NewSession): Promise<SessionRow> {
  const rows = await tx.query<SessionRow>(
    `with created as (
       insert into sessions (id, account_id, mode, name, auto_pair, pacing) values ($1, $2, $3, $4, $5, $6) returning *
     ), leased as (
       insert into session_leases (session_id, account_id, mode) select id, account_id, mode from created
     ) select * from created`,
    [session.id, session.accountId, session.mode, session.name, session.autoPair, session.pacing],
  );
  const [row] = rows;
  if (row === undefined) throw new Error('insert returned no session');
  return row;
}

export async function findSession(tx: AccountTx, id: string): Promise<SessionRow | undefined> {
  const [row] = await tx.query<SessionRow>(`select * from sessions where id = $1 and desired <> 'deleted'`, [
    id,
  ]);
  return row;
}

/** Those of the sessions that are not gone altogether: one that is being deleted is among them. */
export function findSessions(tx: AccountTx, ids: readonly string[]): Promise<SessionRow[]> {
  return tx.query<SessionRow>('select * from sessions where id = any($1::uuid[])', [ids]);
}

/** Newest first; `after` is the UUID of the last session of the page before. */
export function listSessions(
  tx: AccountTx,
  page: { limit: number; after?: string | undefined },
): Promise<SessionRow[]> {
  return tx.query<SessionRow>(
    `select * from sessions where desired <> 'deleted' and ($2::uuid is null or id < $2) order by id desc limit $1`,
    [page.limit, page.after ?? null],
  );
}

/**
 * Changes what is wanted of a session and lets a worker claim it if none holds it. A deletion is final.
 * @returns false where there is no such session
 */
export async function requestState(tx: AccountTx, id: string, desired: DesiredState): Promise<boolean> {
  const rows = await tx.query(
    `update sessions set desired = $2 where id = $1 and desired <> 'deleted' returning id`,
    [id, desired],
  );
  if (rows.length > 0) await wakeLease(tx, id);
  return rows.length > 0;
}

/** Asks the owner to reopen the socket; a session that had stopped starts afresh. */
export async function requestRestart(tx: AccountTx, id: string): Promise<SessionRow | undefined> {
  const [row] = await tx.query<SessionRow>(
    `update sessions set generation = generation + 1, desired = 'running', status = 'starting', status_at = now(),
       status_code = null, status_detail = null, qr = null, qr_expires_at = null,
       pairing_phone = null, pairing_code = null, pairing_error = null
     where id = $1 and desired <> 'deleted' returning *`,
    [id],
  );
  if (row !== undefined) await wakeLease(tx, id);
  return row;
}

/** The number asked for last is the one that counts. */
export async function requestPairingCode(tx: AccountTx, id: string, phone: string): Promise<void> {
  await tx.query(
    `update sessions set pairing_phone = $2, pairing_code = null, pairing_error = null where id = $1`,
    [id, phone],
  );
}

/** Fields of `pacing` that are left out stay; null puts all of it back to the usual. */
export async function updateSettings(
  tx: AccountTx,
  id: string,
  settings: { name?: string | undefined; pacing?: PacingOverrides | null | undefined },
): Promise<SessionRow | undefined> {
  const [row] = await tx.query<SessionRow>(
    `update sessions set name = coalesce($2, name), pacing = case when $3 then coalesce(pacing, '{}') || $4::jsonb else pacing end
     where id = $1 and desired <> 'deleted' returning *`,
    [id, settings.name ?? null, settings.pacing !== undefined, settings.pacing ?? null],
  );
  return row;
}

/** The worker that holds the session now, if any. */
export async function findOwner(tx: AccountTx | SystemTx, id: string): Promise<string | undefined> {
  const [lease] = await tx.query<{ owner: string | null }>(
    `select owner from session_leases where session_id = $1 and expires_at > now()`,
    [id],
  );
  return lease?.owner ?? undefined;
}

async function wakeLease(tx: AccountTx, id: string): Promise<void> {
  await tx.query(
    `update session_leases set wanted = true, attempts = 0, next_attempt_at = now() where session_id = $1`,
    [id],
  );
}
