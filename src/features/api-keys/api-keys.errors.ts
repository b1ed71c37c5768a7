import { defineErrors } from '../../lib/errors.ts';

/** Why a key is not let in. */
export const keyErrors = defineErrors({
  invalid: {
    code: 'auth.key_invalid',
    status: 401,
    title: 'The API key is not valid',
    remedy: 'Check that the whole key was sent, and that it belongs to this installation.',
  },
  revoked: {
    code: 'auth.key_revoked',
    status: 401,
    title: 'The API key was revoked',
    remedy: 'Use another key; revoked ones do not come back.',
  },
  expired: {
    code: 'auth.key_expired',
    status: 401,
    title: 'The API key has expired',
    remedy: 'Use the key it was rotated to, or create another one.',
  },
  addressNotAllowed: {
    code: 'auth.address_not_allowed',
    status: 403,
    title: 'The API key may not be used from this address',
    remedy: "Call from an address in the key's `allowed_ips`, or use a key without them.",
  },
});

/** What can go wrong in managing keys. */
export const apiKeyErrors = defineErrors({
  notFound: {
    code: 'api_key.not_found',
    status: 404,
    title: 'No such API key',
    remedy: 'List keys with GET /v1/api-keys; a test key sees test keys only.',
  },
  modeForbidden: {
    code: 'api_key.mode_forbidden',
    status: 403,
    title: 'A test key cannot make live keys',
    remedy: 'Use a live key.',
  },
  scopeForbidden: {
    code: 'api_key.scope_forbidden',
    status: 403,
    title: 'A key cannot pass on scopes that it does not have',
    remedy: 'Leave out the scopes named in the detail, or use a key that has them.',
  },
  limitsForbidden: {
    code: 'api_key.limits_forbidden',
    status: 403,
    title: 'A key cannot make one that outlives it or works from more addresses',
    remedy: 'Leave out the fields named in `errors`, or use a key that is bound to less.',
  },
  notActive: {
    code: 'api_key.not_active',
    status: 409,
    title: 'The API key is not active any more',
    remedy: 'Revoked, expired and rotated keys cannot be rotated; create a new one.',
  },
});
