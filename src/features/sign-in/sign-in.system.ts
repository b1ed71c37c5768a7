import type { SystemTx } from '../../platform/db/scope.ts';

/** Where a user is signed in. */
export interface SignInRow {
  id: string;
  ip: string | null;
  user_agent: string | null;
  created_at: Date;
  refreshed_at: Date;
  expires_at: Date;
}

const COLUMNS = 'id, ip, user_agent, created_at, refreshed_at, expires_at';

/** Notes that a link was used. @returns false where it was before */
export async function useLink(tx: SystemTx, hash: Uint8Array, at: Date): Promise<boolean> {
  const rows = await tx.query(
    'insert into used_links (hash, used_at) values ($1, $2) on conflict do nothing returning hash',
    [hash, at],
  );
  return rows.length > 0;
}

/** Whether somebody with this e-mail address may sign in where nobody signs up: a member, or an owner to be. */
export async function isExpected(tx: SystemTx, email: string): Promise<boolean> {
  const [row] = await tx.query<{ expected: boolean }>(
    `select exists (select from users u join members m on m.user_id = u.id where u.email = $1)
       or exists (select from accounts a where a.claimable_by = $1
         and not exists (select from members m where m.account_id = a.id)) as expected`,
    [email],
  );
  return row?.expected ?? false;
}

export interface NewSignIn {
  id: string;
  userId: string;
  refreshHash: Uint8Array;
  ip: string;
  userAgent: string | undefined;
  at: Date;
  expiresAt: Date;
}

export async function insertSignIn(tx: SystemTx, signIn: NewSignIn): Promise<void> {
  const { id, userId, refreshHash, ip, userAgent, at, expiresAt } = signIn;
  await tx.query(
    `insert into sign_ins (id, user_id, refresh_hash, refreshed_at, ip, user_agent, created_at, expires_at)
     values ($1, $2, $3, $4, $5, $6, $4, $7)`,
    [id, userId, refreshHash, at, ip, userAgent ?? null, expiresAt],
  );
}

/** The sign-in whose refresh token this is, or was the one before; locked. */
export async function lockByRefresh(
  tx: SystemTx,
  hash: Uint8Array,
  at: Date,
): Promise<{ id: string; user_id: string; current: boolean; refreshed_at: Date } | undefined> {
  const [row] = await tx.query<{ id: string; user_id: string; current: boolean; refreshed_at: Date }>(
    `select id, user_id, refresh_hash = $1 as current, refreshed_at from sign_ins
     where (refresh_hash = $1 or previous_hash = $1) and expires_at > $2 for update`,
    [hash, at],
  );
  return row;
}

/** Puts a new refresh token in the place of the one that was shown. An older one that is shown begins no new grace. */
export async function turnRefresh(
  tx: SystemTx,
  signIn: Pick<NewSignIn, 'id' | 'refreshHash' | 'ip' | 'userAgent' | 'at' | 'expiresAt'> & {
    shown: Uint8Array;
  },
): Promise<void> {
  const { id, refreshHash, shown, ip, userAgent, at, expiresAt } = signIn;
  await tx.query(
    `update sign_ins set refresh_hash = $2, previous_hash = $3,
       refreshed_at = case when refresh_hash = $3 then $4 else refreshed_at end, ip = $5, user_agent = $6,
       expires_at = $7 where id = $1`,
    [id, refreshHash, shown, at, ip, userAgent ?? null, expiresAt],
  );
}

/** Newest first, those that stand. */
export function listSignIns(
  tx: SystemTx,
  userId: string,
  { limit, after, at }: { limit: number; after?: string | undefined; at: Date },
): Promise<SignInRow[]> {
  return tx.query<SignInRow>(
    `select ${COLUMNS} from sign_ins where user_id = $1 and expires_at > $2 and ($4::uuid is null or id < $4)
     order by id desc limit $3`,
    [userId, at, limit, after ?? null],
  );
}

/** Signs out. @returns false where the user has no such sign-in */
export async function deleteSignIn(tx: SystemTx, userId: string, id: string): Promise<boolean> {
  const rows = await tx.query('delete from sign_ins where user_id = $1 and id = $2 returning id', [
    userId,
    id,
  ]);
  return rows.length > 0;
}
