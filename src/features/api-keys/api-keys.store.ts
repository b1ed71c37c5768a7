import type { AccountTx } from '../../platform/db/scope.ts';
import type { ApiKeyRow } from './api-keys.model.ts';

const COLUMNS = `id, account_id, mode, name, hint, scopes, allowed_ips, expires_at, revoked_at, rotated_to, last_used_at,
  created_at`;

export interface NewKeyRow extends Omit<ApiKeyRow, 'revoked_at' | 'rotated_to' | 'last_used_at'> {
  hash: Uint8Array;
}

export async function insertKey(tx: AccountTx, key: NewKeyRow): Promise<ApiKeyRow> {
  const [row] = await tx.query<ApiKeyRow>(
    `insert into api_keys (id, account_id, mode, name, hash, hint, scopes, allowed_ips, expires_at, created_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8::cidr[], $9, $10) returning ${COLUMNS}`,
    [
      key.id,
      key.account_id,
      key.mode,
      key.name,
      key.hash,
      key.hint,
      key.scopes,
      key.allowed_ips,
      key.expires_at,
      key.created_at,
    ],
  );
  if (row === undefined) throw new Error('insert returned no key');
  return row;
}

export async function findKey(tx: AccountTx, id: string): Promise<ApiKeyRow | undefined> {
  const [row] = await tx.query<ApiKeyRow>(`select ${COLUMNS} from api_keys where id = $1`, [id]);
  return row;
}

/** The same, locked against other changes until the transaction ends. */
export async function lockKey(tx: AccountTx, id: string): Promise<ApiKeyRow | undefined> {
  const [row] = await tx.query<ApiKeyRow>(`select ${COLUMNS} from api_keys where id = $1 for update`, [id]);
  return row;
}

/** Newest first; `after` is the UUID of the last key of the page before. */
export function listKeys(
  tx: AccountTx,
  page: { limit: number; after?: string | undefined },
): Promise<ApiKeyRow[]> {
  return tx.query<ApiKeyRow>(
    `select ${COLUMNS} from api_keys where $2::uuid is null or id < $2 order by id desc limit $1`,
    [page.limit, page.after ?? null],
  );
}

/** @returns false where there is no such key; a key that was revoked before keeps its time */
export async function revokeKey(tx: AccountTx, id: string, at: Date): Promise<boolean> {
  const rows = await tx.query(
    'update api_keys set revoked_at = coalesce(revoked_at, $2) where id = $1 returning id',
    [id, at],
  );
  return rows.length > 0;
}

export async function endKey(tx: AccountTx, id: string, rotatedTo: string, expiresAt: Date): Promise<void> {
  await tx.query('update api_keys set rotated_to = $2, expires_at = $3 where id = $1', [
    id,
    rotatedTo,
    expiresAt,
  ]);
}
