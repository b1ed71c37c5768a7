import type { SystemTx } from '../../platform/db/scope.ts';
import type { UserWithAccounts } from '../users/users.service.ts';
import type { SignInParts, Visitor } from './sign-in-parts.ts';
import { issueTokens, type SignInTokens } from './sign-in-tokens.ts';

/** Somebody who just came in. Without tokens where Firebase signs people in. */
export interface Entered {
  user: UserWithAccounts;
  tokens: SignInTokens | undefined;
}

/** Signs a user in who was let in. */
export async function enter(
  parts: SignInParts,
  tx: SystemTx,
  userId: string,
  visitor: Visitor,
): Promise<Entered> {
  const user = await parts.users.find(tx, userId);
  if (user === undefined) throw new Error('the user is gone');
  const isLocal = parts.firebaseProject === undefined;
  return { user, tokens: isLocal ? await issueTokens(parts, tx, userId, visitor) : undefined };
}
