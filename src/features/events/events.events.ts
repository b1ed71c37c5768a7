/** Notice channel that says "this account has new events"; the payload is its UUID. */
export const EVENTS_CHANNEL = 'pingr_events';
