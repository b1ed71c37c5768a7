import { createRemoteJWKSet, errors, jwtVerify } from 'jose';
import { z } from 'zod';
import type { Clock } from '../../lib/clock.ts';
import { tokenErrors } from './identity.errors.ts';

/** Who a Firebase ID token is for. */
export interface FirebaseIdentity {
  uid: string;
  email: string | undefined;
  emailVerified: boolean;
  name: string | undefined;
  picture: string | undefined;
  /** When the user last signed in. */
  authTime: Date;
}

/** Checks ID tokens of one Firebase project. */
export interface FirebaseTokens {
  /** @throws auth.token_invalid, auth.token_expired, auth.provider_unavailable */
  verify(token: string): Promise<FirebaseIdentity>;
}

export interface FirebaseTokensOptions {
  projectId: string;
  /** Where the keys are: Google's, or a stand-in's. */
  jwksUrl: string;
  clock: Clock;
}

/** The keys that sign ID tokens of every Firebase project. */
export const GOOGLE_JWKS_URL =
  'https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com';

const LONGEST_UID = 128;

const claimsSchema = z.object({
  sub: z.string().min(1).max(LONGEST_UID),
  auth_time: z.number(),
  iat: z.number(),
  email: z.string().optional(),
  email_verified: z.boolean().optional(),
  name: z.string().optional(),
  picture: z.string().optional(),
});

/**
 * Checks signature (RS256 alone), issuer, audience, expiry and times, as
 * https://firebase.google.com/docs/auth/admin/verify-id-tokens asks of verifiers that are not the Admin SDK. The keys
 * are common to all projects, so issuer and audience are what tells ours. Keys are kept; one that is not known is looked
 * for at most every 30 s.
 */
export function createFirebaseTokens({ projectId, jwksUrl, clock }: FirebaseTokensOptions): FirebaseTokens {
  const keys = createRemoteJWKSet(new URL(jwksUrl), { timeoutDuration: 5_000 });
  const issuer = `https://securetoken.google.com/${projectId}`;
  return {
    async verify(token) {
      const now = clock.now();
      const { payload } = await jwtVerify(token, keys, {
        algorithms: ['RS256'],
        issuer,
        audience: projectId,
        requiredClaims: ['sub', 'exp', 'iat', 'auth_time'],
        currentDate: now,
      }).catch(refuse);
      const claims = claimsSchema.safeParse(payload);
      // A clock that is a little behind Google's is no reason to refuse.
      const latest = now.getTime() / 1000 + 60;
      if (!claims.success || claims.data.auth_time > latest || claims.data.iat > latest) {
        throw tokenErrors.invalid();
      }
      const { sub, email, email_verified = false, name, picture, auth_time } = claims.data;
      const authTime = new Date(auth_time * 1000);
      return {
        uid: sub,
        email: email?.toLowerCase(),
        emailVerified: email_verified,
        name,
        picture,
        authTime,
      };
    },
  };
}

/** Keys that could not be read prove nothing about the token. */
function refuse(error: unknown): never {
  if (error instanceof errors.JWTExpired) throw tokenErrors.expired({ cause: error });
  const isOfToken =
    error instanceof errors.JOSEError &&
    !(error instanceof errors.JWKSTimeout) &&
    !(error instanceof errors.JWKSInvalid) &&
    error.code !== 'ERR_JOSE_GENERIC';
  throw (isOfToken ? tokenErrors.invalid : tokenErrors.providerUnavailable)({ cause: error });
}
