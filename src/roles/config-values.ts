import { createPrivateKey, createPublicKey } from 'node:crypto';
import { z } from 'zod';

/** A TCP port; 0 takes any free one. */
export const port = z.coerce.number().int().min(0).max(65_535);

/** Yes or no. */
export const flag = z
  .enum(['on', 'off', 'true', 'false', '1', '0'], 'must be on or off')
  .transform((text) => ['on', 'true', '1'].includes(text));

/** An e-mail address, alone or as `Name <address>`. */
export const mailbox = z
  .string()
  .regex(/^([^<>\r\n]*<[^<>@\s]+@[\w.-]+>|[^<>@\s]+@[\w.-]+)$/, 'must be an address, or Name <address>');

/** 32 bytes as 64 hex digits or as base64 (44 characters, or 43 without padding; URL-safe or not). */
export const bytes32 = z
  .string()
  .regex(/^([0-9a-f]{64}|[\w+/-]{43}=?)$/i, 'must be 32 bytes, as 64 hex digits or as base64')
  .transform((text) => Buffer.from(text, text.length === 64 ? 'hex' : 'base64'));

/** 32 bytes as 64 hex digits. */
export const hex32 = z
  .string()
  .regex(/^[0-9a-f]{64}$/i, 'must be 32 bytes, as 64 hex digits')
  .transform((text) => Buffer.from(text, 'hex'));

/** `2,3000,1023223821` or the same with dots. */
export const versionTriple = z
  .string()
  .regex(/^\d+([,.])\d+\1\d+$/, 'must be three numbers with commas between, such as 2,3000,1023223821')
  .transform((text) => text.split(/[,.]/).map(Number))
  .pipe(z.tuple([z.number(), z.number(), z.number()]));

/** Fastify's `trustProxy`: yes or no, a number of hops, or a list of addresses and networks. */
export const trustProxy = z.string().transform((text): boolean | number | string[] => {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^\d+$/.test(text) ? Number(text) : text.split(',').map((address) => address.trim());
});

/** DER of a PKCS #8 X25519 private key (RFC 8410) up to the 32 bytes of the key. */
const PKCS8_X25519 = Buffer.from('302e020100300506032b656e04220420', 'hex');

/** The Curve25519 public key (32 bytes) of a private key. */
export function curvePublicKey(privateKey: Buffer): Buffer {
  const key = createPrivateKey({
    key: Buffer.concat([PKCS8_X25519, privateKey]),
    format: 'der',
    type: 'pkcs8',
  });
  return createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32);
}
