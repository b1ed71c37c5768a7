import { defineErrors, PingrError } from '../../lib/errors.ts';

export const databaseErrors = defineErrors({
  unavailable: {
    code: 'service.database_unavailable',
    status: 503,
    title: 'The database cannot be reached',
    remedy:
      'Try again in a few seconds, with the same Idempotency-Key: nothing is done twice. Where the answer says `Idempotent-Replayed: true`, the request may have been done before the database went away: look, and if not, send it with a new key.',
  },
});

/** True for the error that the scopes throw when the database, and not the statement, is at fault. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof PingrError && error.definition === databaseErrors.unavailable.definition;
}

/** The SQLSTATE with which Postgres refused a statement; `undefined` for any other error. */
export function sqlStateOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Postgres' classes for "this connection is gone", and Node's codes for a socket that is. */
const CONNECTION_CODES =
  /^(08(?!P01)|57P0)|^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EHOSTUNREACH)$/;
const CONNECTION_TEXT =
  /connection terminated|connection ended|timeout exceeded when trying to connect|client was closed|not queryable/i;

/** True where the connection, not the statement, failed. */
export function isConnectionError(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  const code = sqlStateOf(error) ?? '';
  return CONNECTION_CODES.test(code) || CONNECTION_TEXT.test(error.message);
}
