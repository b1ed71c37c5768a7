import { actFor } from '../../platform/db/scope.ts';
import { type Entered, enter } from './enter.ts';
import type { SignInParts, Visitor } from './sign-in-parts.ts';

/**
 * Makes the person to whom an invitation was mailed a member: whoever has its token reads the mails of its address, so
 * that accepting signs them in as well.
 * @throws invitation.link_invalid, member.limit_reached
 */
export async function acceptInvitation(
  parts: SignInParts,
  token: string,
  visitor: Visitor,
): Promise<Entered & { accountId: string }> {
  return parts.database.system(async (tx) => {
    const { id, account_id: accountId, email, role } = await parts.invitations.find(tx, token);
    const userId = await parts.users.save(tx, { email });
    await actFor(tx, { actor: { type: 'user', id: userId, role }, ...visitor });
    await parts.invitations.drop(tx, id);
    await parts.members.join(tx, { accountId, userId, role });
    return { ...(await enter(parts, tx, userId, visitor)), accountId };
  });
}
