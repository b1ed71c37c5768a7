import { defineErrors } from '../../lib/errors.ts';

/** Why a sign-in token is not let in. */
export const tokenErrors = defineErrors({
  invalid: {
    code: 'auth.token_invalid',
    status: 401,
    title: 'The sign-in token is not valid',
    remedy: 'Sign in again; tokens are for one installation and one Firebase project.',
  },
  expired: {
    code: 'auth.token_expired',
    status: 401,
    title: 'The sign-in token has expired',
    remedy: 'Refresh it: `POST /v1/auth/refresh`, or with Firebase `getIdToken(true)`.',
  },
  revoked: {
    code: 'auth.token_revoked',
    status: 401,
    title: 'The sign-in was ended',
    remedy: 'Sign in again.',
  },
  userDisabled: {
    code: 'auth.user_disabled',
    status: 403,
    title: 'The user was disabled',
    remedy: 'Ask the operator of the Firebase project.',
  },
  providerUnavailable: {
    code: 'auth.provider_unavailable',
    status: 503,
    title: 'Firebase cannot be reached to check the token',
    remedy: 'Try again in a few seconds.',
  },
});
