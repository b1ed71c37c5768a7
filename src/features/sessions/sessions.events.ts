import type { SessionStatus } from './sessions.model.ts';

/** Announced whenever a session's status changes. */
export const SESSION_STATUS_EVENT = 'session.status';

/** The `data` of `session.status`. */
export interface SessionStatusData {
  id: string;
  status: SessionStatus;
  phone: string | null;
  code: string | null;
  detail: string | null;
}

/** Notice channel that says "this session's row changed"; the payload is its UUID. */
export const SESSION_CHANGED_CHANNEL = 'pingr_session_changed';
