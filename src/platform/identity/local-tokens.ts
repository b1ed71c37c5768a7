import { errors, jwtVerify, SignJWT } from 'jose';
import type { Clock } from '../../lib/clock.ts';
import { tokenErrors } from './identity.errors.ts';

/** Who a token of ours is for. */
export interface LocalIdentity {
  /** UUIDs. */
  userId: string;
  signInId: string;
}

/** Signs and checks the tokens of people who signed in without Firebase. */
export interface LocalTokens {
  readonly lifetimeSeconds: number;
  sign(identity: LocalIdentity): Promise<string>;
  /** @returns `undefined` for what is no token of ours @throws auth.token_expired */
  verify(token: string): Promise<LocalIdentity | undefined>;
}

const ISSUER = 'pingr';
const AUDIENCE = 'pingr-api';
const LIFETIME_S = 15 * 60;

/**
 * JSON Web Tokens under HMAC-SHA-256 (RFC 7519, RFC 7518 §3.2), for 15 minutes each. No other algorithm is taken.
 * @param key 32 bytes, of this purpose alone
 */
export function createLocalTokens({ key, clock }: { key: Uint8Array; clock: Clock }): LocalTokens {
  return {
    lifetimeSeconds: LIFETIME_S,

    sign: ({ userId, signInId }) => {
      const now = Math.floor(clock.now().getTime() / 1000);
      return new SignJWT({ sid: signInId })
        .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setSubject(userId)
        .setIssuedAt(now)
        .setExpirationTime(now + LIFETIME_S)
        .sign(key);
    },

    async verify(token) {
      try {
        const { payload } = await jwtVerify(token, key, {
          algorithms: ['HS256'],
          issuer: ISSUER,
          audience: AUDIENCE,
          requiredClaims: ['sub', 'sid', 'exp'],
          currentDate: clock.now(),
        });
        const { sub, sid } = payload;
        return sub !== undefined && typeof sid === 'string' ? { userId: sub, signInId: sid } : undefined;
      } catch (error) {
        if (error instanceof errors.JWTExpired) throw tokenErrors.expired({ cause: error });
        if (error instanceof errors.JOSEError) return undefined;
        throw error;
      }
    },
  };
}

/** Whether the text has the form of a JSON Web Token: three parts of base64url. API keys never do. */
export function looksLikeToken(text: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]*$/.test(text);
}
