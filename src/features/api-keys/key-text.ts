import { crc32 } from 'node:zlib';
import { MODES, type Mode } from '../../lib/mode.ts';

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** 62^32 is a little more than 2^190: not to be guessed, so that a fast keyed hash is enough to store. */
const SECRET_LENGTH = 32;
const CHECKSUM_LENGTH = 6;
/** Characters after the prefix that are shown in lists. */
const HINT_LENGTH = 4;

const KEY = new RegExp(`^pk_(${MODES.join('|')})_[0-9A-Za-z]{${SECRET_LENGTH + CHECKSUM_LENGTH}}$`);

/**
 * Makes a key: `pk_test_` or `pk_live_`, 32 random base62 characters, and a checksum of 6 (CRC-32), by which a typo
 * or a cut-off key is told from a wrong one, here and in secret scanners.
 */
export function newKeyText(mode: Mode, randomBytes: (size: number) => Uint8Array): string {
  const body = `pk_${mode}_${randomBase62(SECRET_LENGTH, randomBytes)}`;
  return `${body}${checksum(body)}`;
}

/** The mode of a well-formed key; `undefined` where form or checksum are wrong. */
export function keyMode(text: string): Mode | undefined {
  const found = KEY.exec(text)?.[1];
  if (text.slice(-CHECKSUM_LENGTH) !== checksum(text.slice(0, -CHECKSUM_LENGTH))) return undefined;
  return MODES.find((mode) => mode === found);
}

/** Start of a key, enough to recognise it in a list and no help in guessing it. */
export function keyHint(text: string): string {
  return text.slice(0, text.lastIndexOf('_') + 1 + HINT_LENGTH);
}

function checksum(text: string): string {
  let rest = crc32(text);
  let digits = '';
  for (let i = 0; i < CHECKSUM_LENGTH; i++) {
    digits = `${BASE62[rest % 62]}${digits}`;
    rest = Math.floor(rest / 62);
  }
  return digits;
}

/** Every character equally likely: bytes from 248 on are thrown away, as 256 is no multiple of 62. */
function randomBase62(length: number, randomBytes: (size: number) => Uint8Array): string {
  let text = '';
  while (text.length < length) {
    for (const byte of randomBytes(length)) {
      if (byte < 248 && text.length < length) text += BASE62[byte % 62];
    }
  }
  return text;
}
