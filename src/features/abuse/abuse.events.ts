/** Notice channel that says "an account's limits may have been tightened"; the payload is its UUID. */
export const RESTRICTED_CHANNEL = 'pingr_restricted';
