import { isUnavailable } from '../../platform/db/db.errors.ts';

/** Postgres' codes for a statement that may succeed when it is run again: deadlock, cancelled, out of something. */
const PASSING = /^(40|53|55P03|57|58)/;

/** Whether an error is the database's trouble of the moment, and not the fault of what was asked. */
export function isPassing(error: unknown): boolean {
  if (isUnavailable(error)) return true;
  const isOfPostgres = error instanceof Error && 'severity' in error && 'code' in error;
  return isOfPostgres && typeof error.code === 'string' && PASSING.test(error.code);
}
