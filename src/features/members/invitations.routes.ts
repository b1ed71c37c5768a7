import { z } from 'zod';
import { idParams } from '../../platform/http/api-fields.ts';
import { pageOf, pageQuery, toPage } from '../../platform/http/page.ts';
import { defineRoute, type Operation, type Route } from '../../platform/http/route.ts';
import type { InvitationsService } from './invitations.service.ts';
import { invitationErrors, memberErrors } from './members.errors.ts';
import { invitationView, newInvitation, showInvitation } from './members.schema.ts';

const read = { tag: 'People', scope: 'members:read' } satisfies Partial<Operation>;
const write = { tag: 'People', scope: 'members:write', wholeAccount: true } satisfies Partial<Operation>;

/** Inviting people into the account. Accepting is part of signing in. */
export function invitationRoutes(invitations: InvitationsService): Route[] {
  return [
    defineRoute({
      ...read,
      method: 'GET',
      path: '/v1/invitations',
      operationId: 'listInvitations',
      summary: 'List open invitations',
      query: z.strictObject(pageQuery('invitation')),
      answers: {
        200: { description: 'A page of invitations.', schema: pageOf(invitationView, 'InvitationList') },
      },
      handler: async ({ ctx, query }) => {
        const found = await invitations.list(ctx, { ...query, limit: query.limit + 1 });
        return { status: 200, body: toPage(found, query, 'invitation', showInvitation) };
      },
    }),
    defineRoute({
      ...write,
      method: 'POST',
      path: '/v1/invitations',
      operationId: 'createInvitation',
      summary: 'Invite a person',
      description:
        'By a mail with a link, which works once within 7 days. Inviting again replaces it. Members and open invitations together may be as many as the plan allows members.',
      cost: 10,
      problems: [
        memberErrors.roleForbidden,
        memberErrors.limitReached,
        invitationErrors.alreadyMember,
        invitationErrors.tooMany,
      ],
      body: newInvitation,
      answers: { 201: { description: 'The invitation.', schema: invitationView } },
      handler: async ({ ctx, body }) => ({
        status: 201,
        body: showInvitation(await invitations.create(ctx, body)),
      }),
    }),
    defineRoute({
      ...write,
      method: 'DELETE',
      path: '/v1/invitations/:id',
      operationId: 'deleteInvitation',
      summary: 'Take an invitation back',
      problems: [invitationErrors.notFound],
      params: idParams('invitation'),
      answers: { 204: { description: 'Its link works no more.' } },
      handler: async ({ ctx, params: { id } }) => {
        await invitations.remove(ctx, id);
        return { status: 204 };
      },
    }),
  ];
}
