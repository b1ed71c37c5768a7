import type { AccountTx } from '../../platform/db/scope.ts';
import type { Role } from './roles.model.ts';

/** An open invitation. */
export interface InvitationRow {
  id: string;
  email: string;
  role: Role;
  /** UUID of the member who invited; null for a key. */
  invited_by: string | null;
  created_at: Date;
  expires_at: Date;
}

const COLUMNS = 'id, email, role, invited_by, created_at, expires_at';

/** Adds an invitation, which takes the place of an earlier one to the same address. */
export async function insertInvitation(
  tx: AccountTx,
  invitation: InvitationRow & { account_id: string; token_hash: Uint8Array },
): Promise<InvitationRow> {
  const { id, account_id, email, role, token_hash, invited_by, created_at, expires_at } = invitation;
  await tx.query('delete from invitations where email = $1', [email]);
  const [row] = await tx.query<InvitationRow>(
    `insert into invitations (id, account_id, email, role, token_hash, invited_by, created_at, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8)
     -- Of one that was made at the same moment.
     on conflict (account_id, email) do update set id = excluded.id, role = excluded.role,
       token_hash = excluded.token_hash, invited_by = excluded.invited_by, created_at = excluded.created_at,
       expires_at = excluded.expires_at
     returning ${COLUMNS}`,
    [id, account_id, email, role, token_hash, invited_by, created_at, expires_at],
  );
  if (row === undefined) throw new Error('insert returned no invitation');
  return row;
}

/** Those that have not expired, newest first. */
export function listInvitations(
  tx: AccountTx,
  { limit, after, at }: { limit: number; after?: string | undefined; at: Date },
): Promise<InvitationRow[]> {
  return tx.query<InvitationRow>(
    `select ${COLUMNS} from invitations where expires_at > $3 and ($2::uuid is null or id < $2)
     order by id desc limit $1`,
    [limit, after ?? null, at],
  );
}

export async function countInvitations(tx: AccountTx, at: Date): Promise<number> {
  const [row] = await tx.query<{ count: number }>(
    'select count(*)::int as count from invitations where expires_at > $1',
    [at],
  );
  return row?.count ?? 0;
}

/** Who has or may take a place in the account. */
export interface Places {
  /** Members that the plan allows; null for any number. */
  limit: number | null;
  members: number;
  /** Open invitations to others than the address. */
  invited: number;
}

/** Counts the places that are taken or promised, and lets nobody else take or promise one until the transaction ends. */
export async function lockPlaces(tx: AccountTx, { email, at }: { email: string; at: Date }): Promise<Places> {
  const [quota] = await tx.query<{ limit: number | null }>(
    `select member_limit as "limit" from quotas where mode = 'live' for update`,
  );
  const [taken] = await tx.query<{ members: number; invited: number }>(
    `select (select count(*) from members)::int as members,
       (select count(*) from invitations where email <> $1 and expires_at > $2)::int as invited`,
    [email, at],
  );
  return { limit: quota?.limit ?? null, members: taken?.members ?? 0, invited: taken?.invited ?? 0 };
}

/** @returns false where there is no such invitation */
export async function deleteInvitation(tx: AccountTx, id: string): Promise<boolean> {
  const rows = await tx.query('delete from invitations where id = $1 returning id', [id]);
  return rows.length > 0;
}
