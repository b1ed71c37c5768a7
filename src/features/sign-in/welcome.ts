import type { SystemTx } from '../../platform/db/scope.ts';
import type { AccountsService } from '../accounts/accounts.service.ts';
import type { MembersService } from '../members/members.service.ts';
import type { Person, UsersService } from '../users/users.service.ts';
import { callerErrors } from './sign-in.errors.ts';

export interface WelcomeParts {
  users: Pick<UsersService, 'save' | 'find'>;
  accounts: Pick<AccountsService, 'open' | 'claim'>;
  members: Pick<MembersService, 'join'>;
  /** Whether people who nobody invited may make an account of their own. */
  signUp: 'open' | 'invited';
}

/**
 * Lets in a person who proved who they are. Whoever belongs to no account becomes the owner of one: of that which an
 * operator made for their e-mail address, or of a new one.
 * @returns the user's UUID
 * @throws auth.not_invited
 */
export async function welcome(parts: WelcomeParts, tx: SystemTx, person: Person): Promise<string> {
  const { users, accounts, members, signUp } = parts;
  const userId = await users.save(tx, person);
  const user = await users.find(tx, userId);
  if (user !== undefined && user.memberships.length > 0) return userId;
  const accountId =
    (await accounts.claim(tx, person.email)) ??
    (signUp === 'open' ? await accounts.open(tx, { name: nameFor(person), email: person.email }) : undefined);
  if (accountId === undefined) throw callerErrors.notInvited();
  await members.join(tx, { accountId, userId, role: 'owner' });
  return userId;
}

function nameFor({ name, email }: Person): string {
  return name?.trim().slice(0, 100) || (email.split('@')[0] ?? email);
}
