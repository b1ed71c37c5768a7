import type { Mode } from '../../lib/mode.ts';
import type { SystemTx } from '../../platform/db/scope.ts';
import { type AlertKind, SESSION_THRESHOLDS, type Suspicion, TIGHTENING } from './abuse.model.ts';
import { type KeyUse, type NewCountry, type NewNetwork, suspicionsOf } from './key-uses.model.ts';

/**
 * Notes where keys were used from.
 * @returns what is suspicious about it: networks and countries that are news for a key in use for a day
 */
export async function noteUses(tx: SystemTx, uses: readonly KeyUse[]): Promise<Suspicion[]> {
  const networks = await tx.query<NewNetwork>('select * from app.note_networks($1::uuid[], $2::cidr[])', [
    uses.map(({ keyId }) => keyId),
    uses.map(({ network }) => network),
  ]);
  const placed = uses.filter(({ country }) => country !== null);
  const countries = await tx.query<NewCountry>('select * from app.note_countries($1::uuid[], $2::text[])', [
    placed.map(({ keyId }) => keyId),
    placed.map(({ country }) => country),
  ]);
  return suspicionsOf(uses, { networks, countries });
}

/** What sessions did in the last hour that is suspicious. */
export async function findSuspiciousSessions(tx: SystemTx): Promise<Suspicion[]> {
  const { firstContacts, messages, failed } = SESSION_THRESHOLDS;
  const rows = await tx.query<{
    kind: AlertKind;
    account_id: string;
    mode: Mode;
    session_id: string;
    detail: Suspicion['detail'];
  }>('select * from app.find_suspicious_sessions($1, $2, $3)', [firstContacts, messages, failed]);
  return rows.map(({ kind, account_id, mode, session_id, detail }) => ({
    kind,
    mode,
    detail,
    accountId: account_id,
    subject: session_id,
    sessionId: session_id,
  }));
}

/** Raises an alert and its fact, or counts it on. @returns true where it is new */
export async function raiseAlert(
  tx: SystemTx,
  suspicion: Suspicion,
  ids: { id: string; eventId: string },
): Promise<boolean> {
  const tightening = TIGHTENING[suspicion.kind];
  const [row] = await tx.query<{ raised: boolean }>(
    'select app.raise_alert($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) as raised',
    [
      ids.id,
      ids.eventId,
      suspicion.accountId,
      suspicion.mode,
      suspicion.kind,
      suspicion.subject,
      suspicion.sessionId ?? null,
      suspicion.detail,
      tightening?.factor ?? null,
      tightening?.seconds ?? null,
    ],
  );
  return row?.raised ?? false;
}

export interface Restriction {
  account_id: string;
  mode: Mode;
  factor: number;
  /** For how long from now, unless it is prolonged. */
  seconds: number;
}

/** Every tightened limit of every account and mode that has one now. */
export function listRestrictions(tx: SystemTx): Promise<Restriction[]> {
  return tx.query<Restriction>(
    `select account_id, mode, factor, extract(epoch from max(restricted_until) - now())::float8 as seconds
     from account_alerts where restricted_until > now() and factor is not null group by 1, 2, 3`,
  );
}
