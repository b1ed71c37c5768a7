import type { SystemTx } from '../../platform/db/scope.ts';
import type { ApiKeyRow } from './api-keys.model.ts';

export type KnownKey = Pick<
  ApiKeyRow,
  'id' | 'account_id' | 'mode' | 'scopes' | 'allowed_ips' | 'expires_at' | 'revoked_at'
>;

/** Finds a key of any account by its hash. Keys of an account that was closed count as revoked since then. */
export async function findKeyByHash(tx: SystemTx, hash: Uint8Array): Promise<KnownKey | undefined> {
  const [row] = await tx.query<KnownKey>(
    `select id, account_id, mode, scopes, allowed_ips, expires_at,
       coalesce(revoked_at, (select c.requested_at from account_closures c where c.account_id = k.account_id)) as revoked_at
     from api_keys k where hash = $1`,
    [hash],
  );
  return row;
}

/** Notes when keys were last used; never moves a time back. */
export async function noteUses(tx: SystemTx, uses: ReadonlyMap<string, Date>): Promise<void> {
  await tx.query(
    `update api_keys k set last_used_at = n.at
     from unnest($1::uuid[], $2::timestamptz[]) as n (id, at)
     where k.id = n.id and (k.last_used_at is null or k.last_used_at < n.at)`,
    [[...uses.keys()], [...uses.values()]],
  );
}
