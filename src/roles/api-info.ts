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
    'Every POST that makes or changes something takes an `Idempotency-Key`: for 24 hours a repeat under it gets the first ' +
    'answer, marked `Idempotent-Replayed: true`, and does nothing. So it is too where the first answer was a 5xx, since ' +
    'the request may have been done before it failed: look whether it was, and if not, send it with a new key. Judged ' +
    'afresh under the same key is what was refused (4xx), what failed before it began (such as a 503 because the database ' +
    'could not be reached), and a message whose sending answered a 5xx, which is never accepted twice. ' +
    'Lists are paged by `limit` and `after`.',
};
