import { createCipheriv, createDecipheriv, hkdfSync, pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { agree, type CurveKeyPair } from './curve.ts';

const stretch = promisify(pbkdf2);
const ITERATIONS = 131_072;
const TAG_LENGTH = 16;

/** Seals a public key under a pairing code: salt (32), iv (16), AES-256-CTR ciphertext (32). */
export async function wrapWithCode(code: string, publicKey: Uint8Array): Promise<Buffer> {
  const salt = randomBytes(32);
  const iv = randomBytes(16);
  const cipher = createCipheriv('aes-256-ctr', await codeKey(code, salt), iv);
  return Buffer.concat([salt, iv, cipher.update(publicKey), cipher.final()]);
}

/** Opens what {@link wrapWithCode} sealed. A wrong code is not noticed here: it gives another key. */
export async function unwrapWithCode(code: string, wrapped: Buffer): Promise<Buffer> {
  const key = await codeKey(code, wrapped.subarray(0, 32));
  const decipher = createDecipheriv('aes-256-ctr', key, wrapped.subarray(32, 48));
  return Buffer.concat([decipher.update(wrapped.subarray(48, 80)), decipher.final()]);
}

export interface KeyBundleKeys {
  phoneIdentity: CurveKeyPair;
  phoneEphemeral: CurveKeyPair;
  companionEphemeral: Uint8Array;
  companionIdentity: Uint8Array;
}

/**
 * Opens the companion's key bundle (salt 32, iv 12, AES-256-GCM) and derives the secret of the pairing from it.
 * @returns `undefined` when the code typed on the phone was not the companion's.
 */
export function openKeyBundle(bundle: Buffer, keys: KeyBundleKeys): Buffer | undefined {
  const shared = agree(keys.phoneEphemeral.privateKey, keys.companionEphemeral);
  const salt = bundle.subarray(0, 32);
  const info = 'link_code_pairing_key_bundle_encryption_key';
  const key = Buffer.from(hkdfSync('sha256', shared, salt, info, 32));
  const opened = openGcm(key, bundle.subarray(32, 44), bundle.subarray(44));
  if (opened?.length !== 96) return undefined;
  const identities = Buffer.concat([keys.companionIdentity, keys.phoneIdentity.publicKey]);
  if (!opened.subarray(0, 64).equals(identities)) return undefined;
  const secret = Buffer.concat([
    shared,
    agree(keys.phoneIdentity.privateKey, keys.companionIdentity),
    opened.subarray(64),
  ]);
  return Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), 'adv_secret', 32));
}

function openGcm(key: Buffer, iv: Buffer, sealed: Buffer): Buffer | undefined {
  const end = sealed.length - TAG_LENGTH;
  if (end < 0) return undefined;
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, iv).setAuthTag(sealed.subarray(end));
    return Buffer.concat([decipher.update(sealed.subarray(0, end)), decipher.final()]);
  } catch {
    return undefined;
  }
}

function codeKey(code: string, salt: Uint8Array): Promise<Buffer> {
  return stretch(code, salt, ITERATIONS, 32, 'sha256');
}
