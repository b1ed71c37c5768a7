import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';

/** First byte of everything sealed, so that the format can change. */
const VERSION = 1;
const IV_BYTES = 12;
const TAG_BYTES = 16;
export const KEY_BYTES = 32;

/**
 * Seals with AES-256-GCM: version ‖ iv ‖ ciphertext ‖ tag.
 * @param purpose bound to the result as associated data, so that one kind of secret cannot be passed off as another.
 */
export function seal(key: Uint8Array, plain: Uint8Array, purpose: string): Buffer {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(purpose));
  return Buffer.concat([Buffer.of(VERSION), iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** Opens what {@link seal} made. @throws Error when key or purpose differ, or a byte was changed. */
export function unseal(key: Uint8Array, sealed: Uint8Array, purpose: string): Buffer {
  if (sealed[0] !== VERSION) throw new Error(`unknown seal version ${sealed[0]}`);
  if (sealed.length < 1 + IV_BYTES + TAG_BYTES) throw new Error('sealed bytes are cut short');
  const iv = sealed.subarray(1, 1 + IV_BYTES);
  const ciphertext = sealed.subarray(1 + IV_BYTES, sealed.length - TAG_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(purpose));
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  return Buffer.concat([decipher.update(ciphertext), decipher.final()]);
}

/** One account's secrets: sealed under its own data key, which the master key wraps. */
export interface AccountCipher {
  seal(plain: Uint8Array, purpose: string): Buffer;
  open(sealed: Uint8Array, purpose: string): Buffer;
}

export interface Vault {
  /** A new account's data key, wrapped for storage. */
  newWrappedKey(accountId: string): Buffer;
  /** The account's cipher. @throws Error when the account has no data key (erased). */
  of(accountId: string): Promise<AccountCipher>;
}

export interface VaultOptions {
  /** 32 bytes. */
  masterKey: Uint8Array;
  loadWrappedKey: (accountId: string) => Promise<Uint8Array | undefined>;
}

/** Envelope encryption with a bounded cache of unwrapped keys; an erased account is forgotten within a minute. */
export function createVault({ masterKey, loadWrappedKey }: VaultOptions): Vault {
  if (masterKey.length !== KEY_BYTES) throw new Error(`the master key must be ${KEY_BYTES} bytes`);
  const ciphers = new LRUCache<string, AccountCipher>({
    max: 5_000,
    ttl: 60_000,
    fetchMethod: async (accountId) => {
      const wrapped = await loadWrappedKey(accountId);
      if (wrapped === undefined) throw new Error('the account has no data key');
      return cipherOf(unseal(masterKey, wrapped, wrapPurpose(accountId)));
    },
  });
  return {
    newWrappedKey: (accountId) => seal(masterKey, randomBytes(KEY_BYTES), wrapPurpose(accountId)),
    of: (accountId) => ciphers.forceFetch(accountId),
  };
}

function wrapPurpose(accountId: string): string {
  return `data-key:${accountId}`;
}

function cipherOf(key: Uint8Array): AccountCipher {
  return {
    seal: (plain, purpose) => seal(key, plain, purpose),
    open: (sealed, purpose) => unseal(key, sealed, purpose),
  };
}
