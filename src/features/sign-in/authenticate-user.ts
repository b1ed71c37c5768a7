import { LRUCache } from 'lru-cache';
import { fromId, toId } from '../../lib/ids.ts';
import { MODES } from '../../lib/mode.ts';
import type { Database } from '../../platform/db/database.ts';
import type { Notices } from '../../platform/db/notices.ts';
import type { AuthenticateCaller, Principal, Wanted } from '../../platform/http/admission.ts';
import type { CheckRevocation } from '../../platform/identity/firebase-revocation.ts';
import type { FirebaseTokens } from '../../platform/identity/firebase-tokens.ts';
import { tokenErrors } from '../../platform/identity/identity.errors.ts';
import type { LocalTokens } from '../../platform/identity/local-tokens.ts';
import type { Membership, UsersService, UserWithAccounts } from '../users/users.service.ts';
import { enterByFirebase } from './enter-by-firebase.ts';
import { callerErrors } from './sign-in.errors.ts';
import { USER_CHANGED_CHANNEL } from './sign-in.events.ts';
import type { WelcomeParts } from './welcome.ts';

/** For so long a user is believed without a look at the database, as keys are. */
const BELIEVED_FOR_MS = 900;
const MOST_USERS = 20_000;

export interface UserAuthenticatorParts extends Omit<WelcomeParts, 'users'> {
  users: UsersService;
  database: Database;
  notices: Pick<Notices, 'listen'>;
  tokens: LocalTokens;
  /** Where people sign in through Firebase: then our own tokens do not count. */
  firebase?: FirebaseSignIn | undefined;
  scopesOf: (role: string) => ReadonlySet<string>;
}

export interface FirebaseSignIn {
  projectId: string;
  tokens: FirebaseTokens;
  /** Without a service account only the token itself is checked. */
  checkRevocation?: CheckRevocation | undefined;
}

interface SignedIn {
  user: UserWithAccounts;
  signInId?: string;
}

/** Makes the check of sign-in tokens. What it knows of users is dropped by notices, or after less than a second. */
export async function createUserAuthenticator(parts: UserAuthenticatorParts): Promise<AuthenticateCaller> {
  const { notices, tokens, users, firebase } = parts;
  const cache = new LRUCache<string, UserWithAccounts>({ max: MOST_USERS, ttl: BELIEVED_FOR_MS });

  await notices.listen(USER_CHANGED_CHANNEL, (userId) => {
    for (const [key, { id }] of cache.entries()) {
      if (userId === undefined || id === userId) cache.delete(key);
    }
  });

  async function remembered(key: string, find: () => Promise<UserWithAccounts | undefined>) {
    const found = cache.get(key) ?? (await find());
    if (found !== undefined && !cache.has(key)) cache.set(key, found);
    return found;
  }

  async function byOwnToken(token: string): Promise<SignedIn> {
    const identity = await tokens.verify(token);
    if (identity === undefined) throw tokenErrors.invalid();
    const { signInId } = identity;
    const user = await remembered(signInId, () => users.findSignedIn(signInId));
    if (user === undefined) throw tokenErrors.revoked();
    return { user, signInId };
  }

  async function byFirebase(
    { tokens: idTokens, ...project }: FirebaseSignIn,
    token: string,
  ): Promise<SignedIn> {
    const identity = await idTokens.verify(token);
    await project.checkRevocation?.(identity);
    const known = await remembered(identity.uid, () => users.findByFirebase(project.projectId, identity.uid));
    // Somebody new, or somebody whose last membership ended.
    const isIn = known !== undefined && known.memberships.length > 0;
    return { user: isIn ? known : await enterByFirebase(parts, project.projectId, identity) };
  }

  return async (token, _ip, wanted) =>
    principalOf(await (firebase ? byFirebase(firebase, token) : byOwnToken(token)), wanted, parts.scopesOf);
}

function principalOf(
  { user, signInId }: SignedIn,
  wanted: Wanted,
  scopesOf: (role: string) => ReadonlySet<string>,
): Principal {
  const { account_id: accountId, role } = membershipOf(user.memberships, wanted);
  return {
    accountId,
    mode: modeOf(wanted),
    actor: { type: 'user', id: user.id, role, signInId },
    scopes: scopesOf(role),
    logFields: { account: toId('account', accountId), user: toId('user', user.id) },
  };
}

/** The account that is asked for, the only one, or for what concerns the person alone any one, closed ones last. */
function membershipOf(memberships: readonly Membership[], { account, access }: Wanted): Membership {
  const isPersonal = access === 'user';
  if (account === undefined) {
    const [first, second] = memberships.filter(({ closed }) => !closed);
    const any = first ?? (isPersonal ? memberships[0] : undefined);
    if (any === undefined)
      throw memberships.length > 0 ? callerErrors.accountClosed() : callerErrors.noAccount();
    if (second !== undefined && !isPersonal) throw callerErrors.accountNeeded();
    return any;
  }
  const id = fromId('account', account);
  const found = memberships.find(({ account_id }) => account_id === id);
  if (found === undefined) throw callerErrors.accountUnknown();
  if (found.closed && !isPersonal) throw callerErrors.accountClosed();
  return found;
}

/** `live` where it is not said: what a person sees first is the real thing. */
function modeOf({ mode = 'live' }: Wanted): Principal['mode'] {
  const found = MODES.find((known) => known === mode);
  if (found === undefined) throw callerErrors.modeInvalid();
  return found;
}
