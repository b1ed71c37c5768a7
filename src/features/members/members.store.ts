import type { AccountTx, SystemTx } from '../../platform/db/scope.ts';
import type { Role } from './roles.model.ts';

/** A member of an account; `id` is the user's. */
export interface MemberRow {
  id: string;
  email: string;
  name: string;
  avatar_url: string | null;
  role: Role;
  joined_at: Date;
}

const MEMBERS = `
  select u.id, u.email, u.name, u.avatar_url, m.role, m.created_at as joined_at
  from members m join users u on u.id = m.user_id`;

/** Newest user first. */
export function listMembers(
  tx: AccountTx,
  { limit, after }: { limit: number; after?: string | undefined },
): Promise<MemberRow[]> {
  return tx.query<MemberRow>(`${MEMBERS} where $2::uuid is null or u.id < $2 order by u.id desc limit $1`, [
    limit,
    after ?? null,
  ]);
}

export async function findMember(tx: AccountTx, userId: string): Promise<MemberRow | undefined> {
  const [row] = await tx.query<MemberRow>(`${MEMBERS} where m.user_id = $1`, [userId]);
  return row;
}

/** Whether somebody with this e-mail address is a member. */
export async function isMember(tx: AccountTx, email: string): Promise<boolean> {
  const rows = await tx.query('select from members m join users u on u.id = m.user_id where u.email = $1', [
    email,
  ]);
  return rows.length > 0;
}

/**
 * Locks the owners and the member against other changes until the transaction ends, owners always in the same order.
 * @returns the member's role, and how many owners there are
 */
export async function lockForChange(
  tx: AccountTx,
  userId: string,
): Promise<{ role: Role | undefined; owners: number }> {
  const rows = await tx.query<{ user_id: string; role: Role }>(
    `select user_id, role from members where role = 'owner' or user_id = $1 order by user_id for update`,
    [userId],
  );
  return {
    role: rows.find((row) => row.user_id === userId)?.role,
    owners: rows.filter(({ role }) => role === 'owner').length,
  };
}

export async function setRole(tx: AccountTx, userId: string, role: Role): Promise<void> {
  await tx.query('update members set role = $2 where user_id = $1', [userId, role]);
}

export async function deleteMember(tx: AccountTx, userId: string): Promise<void> {
  await tx.query('delete from members where user_id = $1', [userId]);
}

/** Adds a member; one who is a member already keeps their role. @throws PQ404 where the plan allows no more */
export async function insertMember(
  tx: SystemTx,
  { accountId, userId, role }: { accountId: string; userId: string; role: Role },
  at: Date,
): Promise<void> {
  await tx.query(
    `insert into members (account_id, user_id, role, created_at)
     select $1, $2, $3, $4 where not exists (select from members where account_id = $1 and user_id = $2)`,
    [accountId, userId, role, at],
  );
}
