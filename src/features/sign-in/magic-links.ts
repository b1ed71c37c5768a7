import { z } from 'zod';
import type { Clock } from '../../lib/clock.ts';
import { hashToken } from '../../platform/crypto/token-hash.ts';
import { seal, unseal } from '../../platform/crypto/vault.ts';

/** How long a link works, in minutes. */
export const LINK_MINUTES = 15;

/** Longer texts are no tokens of ours. */
const LONGEST = 1_000;
const PURPOSE = 'magic-link';

const contentSchema = z.object({ email: z.string(), until: z.number() });

/** The tokens in sign-in links. A token carries its address and end, sealed; that it was used is stored at its use. */
export interface MagicLinks {
  write(email: string): string;
  /** @returns whose it is, and the hash under which its use is noted; `undefined` where it is none, or too old */
  read(token: string): { email: string; hash: Buffer } | undefined;
}

/** @param key 32 bytes, of this purpose alone */
export function createMagicLinks({ key, clock }: { key: Uint8Array; clock: Clock }): MagicLinks {
  return {
    write(email) {
      const until = clock.now().getTime() + LINK_MINUTES * 60_000;
      return seal(key, Buffer.from(JSON.stringify({ email, until })), PURPOSE).toString('base64url');
    },

    read(token) {
      const bytes = token.length > LONGEST ? Buffer.alloc(0) : Buffer.from(token, 'base64url');
      const content = opened(key, bytes);
      if (content === undefined || content.until <= clock.now().getTime()) return undefined;
      return { email: content.email, hash: hashToken(bytes) };
    },
  };
}

/** The bytes are hashed, not the text: base64url has several spellings of the same bytes. */
function opened(key: Uint8Array, sealed: Uint8Array): z.output<typeof contentSchema> | undefined {
  try {
    return contentSchema.parse(JSON.parse(unseal(key, sealed, PURPOSE).toString()));
  } catch {
    return undefined;
  }
}
