import { type ErrorFactory, PingrError } from '../../lib/errors.ts';
import { databaseErrors, isConnectionError } from '../db/db.errors.ts';
import { requestErrors, serviceErrors } from './http.errors.ts';

/** Fastify's own errors, by code. */
const FASTIFY_ERRORS: Record<string, ErrorFactory> = {
  FST_ERR_CTP_BODY_TOO_LARGE: requestErrors.bodyTooLarge,
  FST_ERR_CTP_INVALID_MEDIA_TYPE: requestErrors.unsupportedMediaType,
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: requestErrors.malformed,
  FST_ERR_CTP_EMPTY_JSON_BODY: requestErrors.malformedJson,
  FST_ERR_BAD_URL: requestErrors.malformed,
  FST_ERR_MAX_PARAM_LENGTH: requestErrors.notFound,
  FST_ERR_ASYNC_CONSTRAINT: requestErrors.malformed,
  FST_ERR_NOT_FOUND: requestErrors.notFound,
};

/** Postgres' code for a statement that ran into `statement_timeout`. */
const STATEMENT_TIMED_OUT = '57014';

/** The one place where whatever was thrown becomes an error the product knows. The original stays as `cause`. */
export function asPingrError(error: unknown): PingrError {
  if (error instanceof PingrError) return error;
  if (isConnectionError(error)) return databaseErrors.unavailable({ cause: error });
  const code = codeOf(error);
  if (code === STATEMENT_TIMED_OUT) return serviceErrors.timeout({ cause: error });
  const known = code === undefined ? undefined : FASTIFY_ERRORS[code];
  return (known ?? serviceErrors.unexpected)({ cause: error });
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
