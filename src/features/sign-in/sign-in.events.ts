/** Notice channel that says "this user's rights changed: forget what you know of them"; the payload is their UUID. */
export const USER_CHANGED_CHANNEL = 'pingr_user_changed';
