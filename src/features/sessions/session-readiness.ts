import type { PingrError } from '../../lib/errors.ts';
import { sessionErrors } from './sessions.errors.ts';
import type { SessionRow } from './sessions.model.ts';

/** That a session is not ready yet, with what keeps it from WhatsApp where its worker has said so. */
export function notReady({ status_detail: detail }: Pick<SessionRow, 'status_detail'>): PingrError {
  return sessionErrors.notReady({ retryAfter: 2, ...(detail !== null && { detail }) });
}
