import { hkdfSync } from 'node:crypto';
import { KEY_BYTES } from './vault.ts';

/**
 * Derives a key for one purpose alone from the master key (HKDF-SHA256, RFC 5869, without salt).
 * @param purpose what the key is for; changing it loses what was sealed or signed before
 * @returns 32 bytes
 */
export function deriveKey(masterKey: Uint8Array, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', masterKey, '', purpose, KEY_BYTES));
}
