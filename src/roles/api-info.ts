import type { ApiInfo } from '../platform/http/openapi.ts';

/** Head of the API reference. */
export const API_INFO: ApiInfo = {
  title: 'Pingr',
  version: '0.1.0',
  description:
    'Send and receive WhatsApp messages. Authenticate with an API key in `X-API-Key` or `Authorization: Bearer`, or ' +
    'with the access token of a person who signed in; then `Pingr-Account` names the account where they are in several, ' +
    'and `Pingr-Mode` is `live` or `test`. ' +
    'Keys that begin with `pk_test_` work in the sandbox, on virtual phones; `pk_live_` keys on WhatsApp itself. ' +
    'Errors are problem documents (RFC 9457) with a stable `code`. ' +
    'Every POST takes an `Idempotency-Key`, and lists are paged by `limit` and `after`.',
};
