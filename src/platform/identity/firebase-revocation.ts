import { LRUCache } from 'lru-cache';
import type { Log } from '../log/log.ts';
import type { FirebaseIdentity } from './firebase-tokens.ts';
import { tokenErrors } from './identity.errors.ts';

/** What Firebase says of a user beyond their token. */
export interface FirebaseUser {
  disabled: boolean;
  /** Tokens of sign-ins before this do not count. */
  validSince: Date | undefined;
}

/** Asks Firebase for a user; `undefined` where there is none any more. */
export type FindFirebaseUser = (uid: string) => Promise<FirebaseUser | undefined>;

/** Refuses identities whose sign-in was ended or whose user was disabled. */
export type CheckRevocation = (identity: FirebaseIdentity) => Promise<void>;

const ASK_EVERY_MS = 60_000;

/**
 * Checks revocation, by a cache of a minute: Firebase itself lets an ID token live for an hour without this check. Where
 * Firebase does not answer, what was known counts, and without any the token alone.
 */
export function createRevocationCheck({ find, log }: { find: FindFirebaseUser; log: Log }): CheckRevocation {
  const users = new LRUCache<string, { user: FirebaseUser | undefined }>({
    max: 20_000,
    ttl: ASK_EVERY_MS,
    allowStaleOnFetchRejection: true,
    fetchMethod: async (uid) => ({ user: await find(uid) }),
  });
  return async ({ uid, authTime }) => {
    const known = await users.fetch(uid).catch((error: unknown) => {
      log.warn({ err: error }, 'Firebase did not say whether a sign-in was revoked');
      return undefined;
    });
    if (known === undefined) return;
    const { user } = known;
    if (user === undefined || (user.validSince !== undefined && authTime < user.validSince)) {
      throw tokenErrors.revoked();
    }
    if (user.disabled) throw tokenErrors.userDisabled();
  };
}
