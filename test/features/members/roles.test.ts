import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SCOPES } from '../../../src/features/api-keys/scopes.ts';
import { mayGrant, ROLE_SCOPES, ROLES, scopesOfRole } from '../../../src/features/members/roles.model.ts';
import { hasScope } from '../../../src/platform/http/admission.ts';
import { defineRoute, type Route } from '../../../src/platform/http/route.ts';
import { openPeopleApi, type PeopleApi } from '../sign-in/open-people.ts';

/** One operation a scope. */
const PROBES: Route[] = SCOPES.filter((scope) => scope !== '*').map((scope) =>
  defineRoute({
    method: 'GET',
    path: `/v1/probe/${scope.replace(':', '-')}`,
    operationId: `probe-${scope}`,
    summary: scope,
    tag: 'Probes',
    scope,
    answers: { 204: { description: 'Let in.' } },
    handler: async () => ({ status: 204 }),
  }),
);

let api: PeopleApi;
beforeAll(async () => {
  api = await openPeopleApi({ routes: PROBES });
});
afterAll(() => api.close());

describe('the table of roles', () => {
  it('says of every scope who has it, and of no other', () => {
    expect(Object.keys(ROLE_SCOPES).toSorted()).toEqual([...SCOPES].toSorted());
  });

  it.each(ROLES)('holds for a member who is %s, at the edge', async (role) => {
    const { access_token } = await api.member(await api.account(), role);
    const let_in: Record<string, boolean> = {};
    const expected: Record<string, boolean> = {};
    for (const { operation } of PROBES) {
      const { status } = await api.call(access_token, 'GET', operation.path);
      const scope = operation.scope ?? '';
      let_in[scope] = status === 204;
      expected[scope] = role === 'owner' || (ROLE_SCOPES[scope]?.includes(role) ?? false);
    }
    expect(let_in).toEqual(expected);
  });

  it('lets nobody pass on what they lack', () => {
    for (const granter of ROLES) {
      for (const role of ROLES) {
        const covers = [...scopesOfRole(role)].every((scope) => hasScope(scopesOfRole(granter), scope));
        expect(mayGrant(scopesOfRole(granter), role), `${granter} makes ${role}`).toBe(covers);
      }
    }
    expect(mayGrant(scopesOfRole('admin'), 'owner')).toBe(false);
    expect(mayGrant(scopesOfRole('admin'), 'admin')).toBe(true);
    expect(mayGrant(new Set(['*']), 'owner')).toBe(true);
    expect(mayGrant(new Set(), 'viewer')).toBe(false);
  });

  it('gives nothing to a role that is not known', () => {
    expect(scopesOfRole('root').size).toBe(0);
  });

  it('holds for keys that a member makes', async () => {
    const { access_token } = await api.member(await api.account(), 'developer');
    const wide = await api.call(access_token, 'POST', '/v1/api-keys', { name: 'wide', scopes: ['*'] });
    expect(wide.json().code).toBe('api_key.scope_forbidden');
    const own = await api.call(access_token, 'POST', '/v1/api-keys', { name: 'own' });
    expect(own.status).toBe(201);
    expect(own.json<{ scopes: string[] }>().scopes).not.toContain('members:write');
  });
});
