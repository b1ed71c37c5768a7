/** Notice channel that says "this key changed: forget what you know of it"; the payload is the key's UUID. */
export const API_KEY_CHANGED_CHANNEL = 'pingr_api_key_changed';
