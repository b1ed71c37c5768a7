import { defineErrors } from '../../lib/errors.ts';

/** What the edge itself refuses, before a slice is asked. */
export const requestErrors = defineErrors({
  malformed: {
    code: 'request.malformed',
    status: 400,
    title: 'The request is not valid HTTP',
    remedy: 'Check the address, the headers and their lengths.',
  },
  malformedJson: {
    code: 'request.malformed_json',
    status: 400,
    title: 'The body is not valid JSON',
    remedy: 'The detail says at which line and column reading stopped.',
  },
  invalid: {
    code: 'request.invalid',
    status: 422,
    title: 'The request has wrong or unknown fields',
    remedy:
      '`errors` names each field as a JSON pointer into the body, as `?name` for a query parameter, or as `{name}` for one of the path.',
  },
  notFound: {
    code: 'request.path_not_found',
    status: 404,
    title: 'No such path',
    remedy: 'The paths are listed at /docs.',
  },
  methodNotAllowed: {
    code: 'request.method_not_allowed',
    status: 405,
    title: 'The path does not take this method',
    remedy: 'The `Allow` header lists the methods it takes.',
  },
  notAcceptable: {
    code: 'request.not_acceptable',
    status: 406,
    title: 'None of the accepted media types can be made',
    remedy: 'Send `Accept: */*` or one of the types that the reference lists for this path.',
  },
  timedOut: {
    code: 'request.timeout',
    status: 408,
    title: 'The request took too long to arrive',
    remedy: 'Send it again; a request must be complete within 30 seconds.',
  },
  bodyTooLarge: {
    code: 'request.body_too_large',
    status: 413,
    title: 'The body is too large',
    remedy: 'Keep JSON bodies under 1 MB.',
  },
  unsupportedMediaType: {
    code: 'request.unsupported_media_type',
    status: 415,
    title: 'The body has a media type that is not taken here',
    remedy: 'Send JSON with `Content-Type: application/json`.',
  },
  headersTooLarge: {
    code: 'request.headers_too_large',
    status: 431,
    title: 'The headers are too large',
    remedy: 'Keep all headers together under 16 KB.',
  },
});

/** Who may call. Errors about a key itself are declared by the slice that keeps keys. */
export const authErrors = defineErrors({
  missing: {
    code: 'auth.key_missing',
    status: 401,
    title: 'Neither an API key nor a sign-in token was sent',
    remedy: 'Send a key as `X-API-Key`, or a key or token as `Authorization: Bearer`.',
  },
  conflict: {
    code: 'auth.keys_conflict',
    status: 400,
    title: 'Two different API keys were sent',
    remedy: 'Send the key in one header, or the same key in both.',
  },
  scopeMissing: {
    code: 'auth.scope_missing',
    status: 403,
    title: 'The API key, or the role of the user, lacks the scope that this call needs',
    remedy:
      'Use a key that has the scope named in the detail, or ask an owner of the account for another role.',
  },
  liveKeyNeeded: {
    code: 'account.live_key_needed',
    status: 403,
    title: 'A test key cannot do what concerns the whole account',
    remedy: 'Use a live key or sign in: what is changed, paid for or handed over is live too.',
  },
  userNeeded: {
    code: 'auth.user_needed',
    status: 403,
    title: 'Only a person who is signed in may call this',
    remedy:
      'Send a sign-in token as `Authorization: Bearer`; API keys stand for an account, not for a person.',
  },
  tooManyFailures: {
    code: 'auth.too_many_failures',
    status: 429,
    title: 'Too many requests with a wrong API key or token from this address',
    remedy: 'Correct it; wait for the time in `Retry-After` before trying another one.',
  },
});

export const rateLimitErrors = defineErrors({
  exceeded: {
    code: 'rate_limit.exceeded',
    status: 429,
    title: 'Too many requests',
    remedy: 'Wait for the time in `Retry-After`. The `RateLimit` headers of every answer show what is left.',
  },
});

export const idempotencyErrors = defineErrors({
  keyInvalid: {
    code: 'idempotency.key_invalid',
    status: 400,
    title: 'The Idempotency-Key is not usable',
    remedy: 'Send 1 to 255 printable ASCII characters, such as a UUID.',
  },
  keyReused: {
    code: 'idempotency.key_reused',
    status: 422,
    title: 'The Idempotency-Key was used for another request',
    remedy: 'Use a new key for a new request; repeat a request with exactly the same path and body.',
  },
  inProgress: {
    code: 'idempotency.in_progress',
    status: 409,
    title: 'The first request with this Idempotency-Key is still running',
    remedy: 'Wait for the time in `Retry-After` and send it again.',
  },
  outcomeUnknown: {
    code: 'idempotency.outcome_unknown',
    status: 409,
    title: 'What became of the first request with this Idempotency-Key is not known',
    remedy:
      'It was cut off before its answer was kept, and may have been done. Look whether it was; if not, send it with a new key.',
  },
});

export const serviceErrors = defineErrors({
  timeout: {
    code: 'service.timeout',
    status: 503,
    title: 'The request took too long to answer',
    remedy:
      'With an Idempotency-Key, try again with the same one: the work goes on, and once it is through its answer is given. Without one, look first whether it was done.',
  },
  unexpected: {
    code: 'service.unexpected',
    status: 500,
    title: 'Something went wrong on our side',
    remedy:
      'Tell support the `request_id`. `POST /v1/messages` and `/v1/send` may be tried again with the same Idempotency-Key. Another POST may have been done before it failed, so its key answers this again for 24 hours, with `Idempotent-Replayed: true`: look whether it was done; if not, send it with a new key.',
  },
});
