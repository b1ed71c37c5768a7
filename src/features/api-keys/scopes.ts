/** What keys may be allowed. `*` is all of them, present and future. */
export const SCOPES = [
  '*',
  'account:delete',
  'account:export',
  'account:read',
  'account:write',
  'api_keys:read',
  'api_keys:write',
  'audit:read',
  'billing:read',
  'billing:write',
  'events:read',
  'members:read',
  'members:write',
  'messages:read',
  'messages:write',
  'sandbox:write',
  'sessions:read',
  'sessions:write',
  'triggers:read',
  'triggers:write',
  'usage:read',
  'webhooks:read',
  'webhooks:write',
] as const;

/** Those of `wanted` that `held` does not cover. */
export function scopesBeyond(held: ReadonlySet<string>, wanted: readonly string[]): string[] {
  return held.has('*') ? [] : wanted.filter((scope) => !held.has(scope));
}
