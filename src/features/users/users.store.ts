import type { AccountTx } from '../../platform/db/scope.ts';
import type { ProfileChange, UserRow } from './users.model.ts';

const COLUMNS = 'id, email, name, time_zone, locale, avatar_url, created_at';

/** Changes the user on whose behalf the scope acts. @returns `undefined` where that is nobody (any more) */
export async function updateOwnProfile(
  tx: AccountTx,
  id: string,
  change: ProfileChange,
): Promise<UserRow | undefined> {
  const [row] = await tx.query<UserRow>(
    `update users set name = coalesce($2, name), time_zone = coalesce($3, time_zone), locale = coalesce($4, locale),
       avatar_url = case when $5 then $6 else avatar_url end
     where id = $1 returning ${COLUMNS}`,
    [
      id,
      change.name ?? null,
      change.time_zone ?? null,
      change.locale ?? null,
      change.avatar_url !== undefined,
      change.avatar_url ?? null,
    ],
  );
  return row;
}
