import type { SystemTx } from '../../platform/db/scope.ts';
import type { Role } from './roles.model.ts';

/** An invitation that is being accepted. */
export interface OpenInvitation {
  id: string;
  account_id: string;
  email: string;
  role: Role;
}

/** Finds the open invitation of a token and locks it; not that of an account on its way out. */
export async function lockInvitation(
  tx: SystemTx,
  tokenHash: Uint8Array,
  at: Date,
): Promise<OpenInvitation | undefined> {
  const [row] = await tx.query<OpenInvitation>(
    `select id, account_id, email, role from invitations
     where token_hash = $1 and expires_at > $2 and not app.is_closed(account_id) for update`,
    [tokenHash, at],
  );
  return row;
}

export async function dropInvitation(tx: SystemTx, id: string): Promise<void> {
  await tx.query('delete from invitations where id = $1', [id]);
}
