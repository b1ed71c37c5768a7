/** Notice channel that says "this account has another plan"; the payload is its UUID. */
export const PLANS_CHANNEL = 'pingr_plans';
