import type { Database } from '../../platform/db/database.ts';
import type { FirebaseIdentity } from '../../platform/identity/firebase-tokens.ts';
import type { UserWithAccounts } from '../users/users.service.ts';
import { callerErrors } from './sign-in.errors.ts';
import { type WelcomeParts, welcome } from './welcome.ts';

/**
 * Makes the user, and an account where they have none, of somebody whom Firebase knows and we do not yet.
 * @throws auth.email_unverified, auth.not_invited
 */
export async function enterByFirebase(
  parts: WelcomeParts & { database: Database },
  project: string,
  { uid, email, emailVerified, name, picture }: FirebaseIdentity,
): Promise<UserWithAccounts> {
  // Whoever may claim any address would take over the user who has it.
  if (email === undefined || !emailVerified) throw callerErrors.emailUnverified();
  const person = {
    email,
    name: name?.trim().slice(0, 100),
    avatarUrl: picture?.startsWith('https://') ? picture : undefined,
    firebase: { project, uid },
  };
  return parts.database.system(async (tx) => {
    const user = await parts.users.find(tx, await welcome(parts, tx, person));
    if (user === undefined) throw new Error('the user is gone');
    return user;
  });
}
