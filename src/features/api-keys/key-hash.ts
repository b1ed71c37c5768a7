import { createHmac, createSecretKey } from 'node:crypto';

/** Hashes a key for storage and lookup. */
export type HashKey = (text: string) => Buffer;

/**
 * HMAC-SHA-256 under the server's pepper (RFC 2104). Keys are random (190 bits), so a slow password hash would only
 * slow every request; the pepper keeps a stolen table from being of use for checking keys found elsewhere. A key is
 * found by its hash, through an index, so that no comparison of secrets leaks time.
 * @param pepper 32 bytes
 */
export function createKeyHash(pepper: Uint8Array): HashKey {
  const key = createSecretKey(pepper);
  return (text) => createHmac('sha256', key).update(text).digest();
}
