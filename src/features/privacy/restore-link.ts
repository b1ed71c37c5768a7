import { createHmac, timingSafeEqual } from 'node:crypto';
import { fromId, toId } from '../../lib/ids.ts';
import { deriveKey } from '../../platform/crypto/derived-key.ts';

/** Signs the links by which an owner, who is signed out everywhere, undoes a deletion. */
export interface RestoreTokens {
  /** @param closureId UUID */
  write(closureId: string): string;
  /** @returns the closure's UUID, or `undefined` where the token is none of ours */
  read(token: string): string | undefined;
}

/** @param masterKey 32 bytes, from which a key for this purpose alone is derived */
export function createRestoreTokens(masterKey: Uint8Array): RestoreTokens {
  const key = deriveKey(masterKey, 'pingr/restore-account');
  const sign = (id: string) => createHmac('sha256', key).update(id).digest();
  return {
    write(closureId) {
      const id = toId('accountClosure', closureId);
      return `${id}.${sign(id).toString('base64url')}`;
    },
    read(token) {
      const [id = '', signature = ''] = token.split('.', 2);
      const given = Buffer.from(signature, 'base64url');
      const expected = sign(id);
      const isOurs = given.length === expected.length && timingSafeEqual(given, expected);
      return isOurs ? fromId('accountClosure', id) : undefined;
    },
  };
}
