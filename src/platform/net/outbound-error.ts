/** Stable word for why a request to somebody else's server came to nothing. */
export type OutboundFailure =
  /** The text is no http(s) URL, or holds credentials. */
  | 'invalid_url'
  | 'https_required'
  /** The host is, or resolves to, an address that is not public. */
  | 'blocked_address'
  | 'dns'
  | 'connect'
  | 'tls'
  | 'timeout'
  /** The connection ended in the middle. */
  | 'reset'
  /** The answer is not HTTP. */
  | 'invalid_response'
  /** The headers of the answer are beyond 16 KB. */
  | 'too_large'
  /** A header cannot be sent. */
  | 'invalid_request'
  /** The caller gave up, or the process closes. */
  | 'aborted';

/** A request that got no whole answer. The message holds no secrets: neither path nor query, headers or bodies. */
export class OutboundError extends Error {
  override readonly name = 'OutboundError';
  readonly reason: OutboundFailure;

  constructor(reason: OutboundFailure, message: string, cause?: unknown) {
    super(message, { cause });
    this.reason = reason;
  }
}

const BY_CODE: Record<string, OutboundFailure> = {
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  ETIMEDOUT: 'timeout',
  ECONNREFUSED: 'connect',
  EHOSTUNREACH: 'connect',
  ENETUNREACH: 'connect',
  EADDRNOTAVAIL: 'connect',
  EPROTO: 'tls',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'tls',
  SELF_SIGNED_CERT_IN_CHAIN: 'tls',
  UND_ERR_HEADERS_OVERFLOW: 'too_large',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'invalid_response',
  UND_ERR_INVALID_ARG: 'invalid_request',
  UND_ERR_REQ_CONTENT_LENGTH_MISMATCH: 'invalid_request',
  UND_ERR_NOT_SUPPORTED: 'invalid_request',
  UND_ERR_DESTROYED: 'aborted',
  UND_ERR_CLOSED: 'aborted',
};

const TLS_CODE = /^(CERT_|UNABLE_TO_|ERR_TLS_|ERR_SSL_|HOSTNAME_MISMATCH)/;

const MESSAGES: Record<OutboundFailure, string> = {
  invalid_url: 'The URL is not usable',
  https_required: 'The URL must begin with https://',
  blocked_address: 'The host has an address that is not public',
  dns: 'The name of the host could not be resolved',
  connect: 'No connection could be made',
  tls: 'No trusted TLS connection could be made',
  timeout: 'The answer took too long',
  reset: 'The connection ended before the whole answer had come',
  invalid_response: 'The answer is not valid HTTP',
  too_large: 'The headers of the answer are too large',
  invalid_request: 'The request has a header that cannot be sent',
  aborted: 'The request was given up',
};

/** The error of a failure in its usual words. */
export function outboundError(reason: OutboundFailure, cause?: unknown): OutboundError {
  return new OutboundError(reason, MESSAGES[reason], cause);
}

/** What a customer is told about an address that was refused before anything was sent. */
const REFUSALS: Partial<Record<OutboundFailure, string>> = {
  invalid_url: 'is not a URL that can be called; credentials in it are not taken either',
  https_required: 'must begin with https://',
  blocked_address: 'leads to an address that is not public',
};

/** The rest of a sentence about the URL, such as `must begin with https://`. */
export function describeUrlRefusal({ reason }: OutboundError): string {
  return REFUSALS[reason] ?? `cannot be called (${reason})`;
}

/**
 * Names what undici, TLS or the system reported.
 * @param connected whether the request had a connection by then
 */
export function toOutboundError(error: unknown, connected: boolean): OutboundError {
  if (error instanceof OutboundError) return error;
  const code = codeOf(error);
  const known = BY_CODE[code] ?? (TLS_CODE.test(code) ? 'tls' : undefined);
  if (known !== undefined) return outboundError(known, error);
  if (error instanceof Error && error.name === 'HTTPParserError')
    return outboundError('invalid_response', error);
  return outboundError(connected ? 'reset' : 'connect', error);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
