import type { SystemTx } from '../platform/db/scope.ts';

/** Who writes: the lease's epoch fences every write. */
export interface KeyFence {
  sessionId: string;
  epoch: number;
}

/** Names a fence. */
export function fenceKey({ sessionId, epoch }: KeyFence): string {
  return `${sessionId}/${epoch}`;
}

export interface SealedWrite extends KeyFence {
  kind: string;
  keyId: string;
  /** `null` deletes. */
  sealed: Uint8Array | null;
}

export async function readCredentials(tx: SystemTx, sessionId: string): Promise<Buffer | undefined> {
  const [row] = await tx.query<{ sealed: Buffer }>(
    'select sealed from session_credentials where session_id = $1',
    [sessionId],
  );
  return row?.sealed;
}

/** @returns false when the lease has moved on. */
export async function writeCredentials(tx: SystemTx, fence: KeyFence, sealed: Uint8Array): Promise<boolean> {
  const rows = await tx.query(
    `with held as (
       select session_id, account_id from session_leases where session_id = $1 and epoch = $2 for share
     ) insert into session_credentials (session_id, account_id, sealed) select session_id, account_id, $3 from held
       on conflict (session_id) do update set sealed = excluded.sealed returning session_id`,
    [fence.sessionId, fence.epoch, sealed],
  );
  return rows.length > 0;
}

export interface KeyAddress {
  sessionId: string;
  kind: string;
  keyId: string;
}

export interface SealedKey {
  session_id: string;
  kind: string;
  key_id: string;
  sealed: Buffer;
}

export function readKeys(tx: SystemTx, keys: readonly KeyAddress[]): Promise<SealedKey[]> {
  return tx.query<SealedKey>(
    `select k.session_id, k.kind, k.key_id, k.sealed
     from unnest($1::uuid[], $2::text[], $3::text[]) as wanted (session_id, kind, key_id)
     join session_keys k using (session_id, kind, key_id)`,
    [keys.map((k) => k.sessionId), keys.map((k) => k.kind), keys.map((k) => k.keyId)],
  );
}

/**
 * Writes keys of several sessions at once, at most one write a key and fence. Leases are locked in order, as everywhere,
 * so that batches do not deadlock. @returns the fences (by {@link fenceKey}) that still held.
 */
export async function writeKeys(tx: SystemTx, writes: readonly SealedWrite[]): Promise<Set<string>> {
  const rows = await tx.query<{ session_id: string; epoch: string }>(
    `with news as (
       select * from unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::bytea[])
         as n (session_id, epoch, kind, key_id, sealed)
     ), held as (
       select l.session_id, l.epoch, l.account_id from session_leases l
       where (l.session_id, l.epoch) in (select session_id, epoch from news) order by l.session_id for share
     ), stored as (
       insert into session_keys (session_id, account_id, kind, key_id, sealed)
       select n.session_id, h.account_id, n.kind, n.key_id, n.sealed
       from news n join held h using (session_id, epoch) where n.sealed is not null
       on conflict (session_id, kind, key_id) do update set sealed = excluded.sealed
     ), dropped as (
       delete from session_keys k using news n, held h
       where n.sealed is null and h.session_id = n.session_id and h.epoch = n.epoch
         and k.session_id = n.session_id and k.kind = n.kind and k.key_id = n.key_id
     ) select session_id, epoch from held`,
    [
      writes.map((w) => w.sessionId),
      writes.map((w) => w.epoch),
      writes.map((w) => w.kind),
      writes.map((w) => w.keyId),
      writes.map((w) => w.sealed),
    ],
  );
  return new Set(rows.map((row) => fenceKey({ sessionId: row.session_id, epoch: Number(row.epoch) })));
}
