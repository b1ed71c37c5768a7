import { createHmac, timingSafeEqual } from 'node:crypto';
import { fromId, toId } from '../../lib/ids.ts';
import { deriveKey } from '../../platform/crypto/derived-key.ts';

/** What a token restores, and who got it. UUIDs. */
export interface RestoreToken {
  closureId: string;
  /** The owner to whom it was mailed; `undefined` where it went to the account's own address or was answered. */
  userId: string | undefined;
}

/** Signs the links by which an owner, who is signed out everywhere, undoes a deletion. */
export interface RestoreTokens {
  write(token: RestoreToken): string;
  /** @returns `undefined` where the token is none of ours */
  read(token: string): RestoreToken | undefined;
}

/** @param masterKey 32 bytes, from which a key for this purpose alone is derived */
export function createRestoreTokens(masterKey: Uint8Array): RestoreTokens {
  const key = deriveKey(masterKey, 'pingr/restore-account');
  const sign = (ids: string) => createHmac('sha256', key).update(ids).digest();
  return {
    write({ closureId, userId }) {
      const ids = [
        toId('accountClosure', closureId),
        ...(userId === undefined ? [] : [toId('user', userId)]),
      ];
      const signed = ids.join('.');
      return `${signed}.${sign(signed).toString('base64url')}`;
    },
    read(token) {
      const end = Math.max(0, token.lastIndexOf('.'));
      const signed = token.slice(0, end);
      const given = Buffer.from(token.slice(end + 1), 'base64url');
      const expected = sign(signed);
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
      const [closure = '', user] = signed.split('.');
      const closureId = fromId('accountClosure', closure);
      if (closureId === undefined) return undefined;
      return { closureId, userId: user === undefined ? undefined : fromId('user', user) };
    },
  };
}
