import { createHash } from 'node:crypto';

/**
 * What is stored of a token in its stead: its SHA-256. Nobody guesses a token of ours: a fast hash is enough, and finding
 * by it leaks no time.
 */
export function hashToken(token: string | Uint8Array): Buffer {
  return createHash('sha256').update(token).digest();
}
