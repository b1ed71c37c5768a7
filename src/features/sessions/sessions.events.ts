/** Announced whenever a session's status changes. */
export const SESSION_STATUS_EVENT = 'session.status';

/** Notice channel that says "this session's row changed"; the payload is its UUID. */
export const SESSION_CHANGED_CHANNEL = 'pingr_session_changed';
