/** What a member may be, from most to least. */
export const ROLES = ['owner', 'admin', 'developer', 'agent', 'viewer'] as const;
export type Role = (typeof ROLES)[number];

const everybody = ROLES;
const builders = ['owner', 'admin', 'developer'] as const;
const managers = ['owner', 'admin'] as const;

/**
 * Who may do what: by scope, the roles that have it. An agent answers people; a viewer looks; a developer builds; an
 * admin manages people and money. Nobody passes on what they lack, so that only owners make owners, or keys with `*`.
 */
export const ROLE_SCOPES: Readonly<Record<string, readonly Role[]>> = {
  '*': ['owner'],
  'account:delete': ['owner'],
  'account:export': managers,
  'account:read': everybody,
  'account:write': managers,
  'api_keys:read': builders,
  'api_keys:write': builders,
  'audit:read': managers,
  'billing:read': managers,
  'billing:write': managers,
  'events:read': everybody,
  'members:read': everybody,
  'members:write': managers,
  'messages:read': everybody,
  'messages:write': ['owner', 'admin', 'developer', 'agent'],
  'sandbox:write': builders,
  'sessions:read': everybody,
  'sessions:write': builders,
  'triggers:read': everybody,
  'triggers:write': builders,
  'usage:read': ['owner', 'admin', 'developer', 'viewer'],
  'webhooks:read': ['owner', 'admin', 'developer', 'viewer'],
  'webhooks:write': builders,
};

const scopesByRole = new Map<string, ReadonlySet<string>>(
  ROLES.map((role) => [
    role,
    new Set(Object.keys(ROLE_SCOPES).filter((scope) => ROLE_SCOPES[scope]?.includes(role))),
  ]),
);

const NONE: ReadonlySet<string> = new Set();

/** Scopes of a role; none of one that is not known. */
export function scopesOfRole(role: string): ReadonlySet<string> {
  return scopesByRole.get(role) ?? NONE;
}

/** Whether somebody with these scopes may give or take the role: its scopes are all among theirs. */
export function mayGrant(scopes: ReadonlySet<string>, role: Role): boolean {
  return scopes.has('*') || [...scopesOfRole(role)].every((scope) => scopes.has(scope));
}
