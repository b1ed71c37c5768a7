import { createHmac } from 'node:crypto';
import {
  calculateAgreement,
  calculateSignature,
  generateKeyPair as generate,
  verifySignature,
} from 'whatsapp-rust-bridge';

/** First byte of a serialized Curve25519 public key. */
const KEY_TYPE = 0x05;

/** A Curve25519 key pair, public key without the type byte. */
export interface CurveKeyPair {
  publicKey: Buffer;
  privateKey: Buffer;
}

/** The u-coordinate 9: a private key times this point is its public key. */
const BASE_POINT = Buffer.concat([Buffer.from([KEY_TYPE, 9]), Buffer.alloc(31)]);

/** A random key pair. */
export function generateKeyPair(): CurveKeyPair {
  const { pubKey, privKey } = generate();
  return { publicKey: Buffer.from(pubKey.subarray(1)), privateKey: Buffer.from(privKey) };
}

/** The key pair of a private key (32 bytes). */
export function keyPairOf(privateKey: Uint8Array): CurveKeyPair {
  const clamped = Buffer.from(privateKey);
  clamped[0] = (clamped[0] ?? 0) & 0xf8;
  clamped[31] = ((clamped[31] ?? 0) & 0x7f) | 0x40;
  // The bridge's getPublicFromPrivateKey answers the Edwards form, which is no public key of this curve.
  return { publicKey: Buffer.from(calculateAgreement(BASE_POINT, clamped)), privateKey: clamped };
}

/** The key pair that a secret gives for a label: the same each time, so it needs no storage. */
export function deriveKeyPair(secret: Uint8Array, label: string): CurveKeyPair {
  return keyPairOf(createHmac('sha256', secret).update(label).digest());
}

/** X25519 agreement of the private key with a public key (32 bytes, without type byte). */
export function agree(privateKey: Uint8Array, publicKey: Uint8Array): Buffer {
  return Buffer.from(calculateAgreement(withType(publicKey), privateKey));
}

/** XEdDSA signature (64 bytes). */
export function sign(privateKey: Uint8Array, message: Uint8Array): Buffer {
  return Buffer.from(calculateSignature(privateKey, message));
}

/** Whether an XEdDSA signature was made by the owner of the public key (32 bytes); false for malformed input. */
export function verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  return verifySignature(withType(publicKey), message, signature);
}

/** The public key with its type byte, as Signal signs and serializes it. */
export function withType(publicKey: Uint8Array): Buffer {
  return publicKey.length === 33
    ? Buffer.from(publicKey)
    : Buffer.concat([Buffer.from([KEY_TYPE]), publicKey]);
}
