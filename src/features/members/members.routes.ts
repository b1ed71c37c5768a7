import { z } from 'zod';
import { idParams } from '../../platform/http/api-fields.ts';
import { pageOf, pageQuery, toPage } from '../../platform/http/page.ts';
import { defineRoute, type Operation, type Route } from '../../platform/http/route.ts';
import { memberErrors } from './members.errors.ts';
import { memberChange, memberView, showMember } from './members.schema.ts';
import type { MembersService } from './members.service.ts';

const read = { tag: 'People', scope: 'members:read' } satisfies Partial<Operation>;
const write = { tag: 'People', scope: 'members:write', wholeAccount: true } satisfies Partial<Operation>;
const params = idParams('user');

/** The people who work in the account. */
export function memberRoutes(members: MembersService): Route[] {
  return [...readRoutes(members), ...writeRoutes(members), leaveRoute(members)];
}

function readRoutes(members: MembersService): Route[] {
  return [
    defineRoute({
      ...read,
      method: 'GET',
      path: '/v1/members',
      operationId: 'listMembers',
      summary: 'List members',
      query: z.strictObject(pageQuery('user')),
      answers: { 200: { description: 'A page of members.', schema: pageOf(memberView, 'MemberList') } },
      handler: async ({ ctx, query }) => {
        const found = await members.list(ctx, { ...query, limit: query.limit + 1 });
        return { status: 200, body: toPage(found, query, 'user', showMember) };
      },
    }),
    defineRoute({
      ...read,
      method: 'GET',
      path: '/v1/members/:id',
      operationId: 'getMember',
      summary: 'Get a member',
      problems: [memberErrors.notFound],
      params,
      answers: { 200: { description: 'The member.', schema: memberView } },
      handler: async ({ ctx, params: { id } }) => ({
        status: 200,
        body: showMember(await members.get(ctx, id)),
      }),
    }),
  ];
}

function writeRoutes(members: MembersService): Route[] {
  const problems = [memberErrors.notFound, memberErrors.roleForbidden, memberErrors.lastOwner];
  return [
    defineRoute({
      ...write,
      method: 'PATCH',
      path: '/v1/members/:id',
      operationId: 'updateMember',
      summary: "Change a member's role",
      description: 'It holds within two seconds.',
      problems,
      params,
      body: memberChange,
      answers: { 200: { description: 'The member as they are now.', schema: memberView } },
      handler: async ({ ctx, params: { id }, body }) => ({
        status: 200,
        body: showMember(await members.changeRole(ctx, id, body.role)),
      }),
    }),
    defineRoute({
      ...write,
      method: 'DELETE',
      path: '/v1/members/:id',
      operationId: 'removeMember',
      summary: 'Remove a member',
      description: 'They are out within two seconds. Keys that they made stay.',
      problems,
      params,
      answers: { 204: { description: 'The member is removed.' } },
      handler: async ({ ctx, params: { id } }) => {
        await members.remove(ctx, id);
        return { status: 204 };
      },
    }),
  ];
}

function leaveRoute(members: MembersService): Route {
  return defineRoute({
    method: 'DELETE',
    path: '/v1/me/accounts/:id',
    operationId: 'leaveAccount',
    summary: 'Leave an account',
    description: 'A user who leaves the last one is forgotten.',
    tag: 'People',
    scope: undefined,
    access: 'user',
    problems: [memberErrors.notFound, memberErrors.lastOwner],
    params: idParams('account'),
    answers: { 204: { description: 'The user is a member no more.' } },
    handler: async ({ ctx, params: { id } }) => {
      await members.leave(ctx, id);
      return { status: 204 };
    },
  });
}
