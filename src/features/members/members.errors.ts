import { defineErrors } from '../../lib/errors.ts';

export const memberErrors = defineErrors({
  notFound: {
    code: 'member.not_found',
    status: 404,
    title: 'No such member',
    remedy: 'List members with GET /v1/members.',
  },
  lastOwner: {
    code: 'member.last_owner',
    status: 409,
    title: 'The last owner cannot leave or become something else',
    remedy: 'Make somebody else an owner first, or delete the account.',
  },
  roleForbidden: {
    code: 'member.role_forbidden',
    status: 403,
    title: 'Nobody gives or takes a role that may do more than they may',
    remedy: 'Ask an owner of the account.',
  },
  limitReached: {
    code: 'member.limit_reached',
    status: 409,
    title: 'The plan allows no more members',
    remedy: 'Remove a member, take an invitation back, or change the plan.',
  },
});

export const invitationErrors = defineErrors({
  notFound: {
    code: 'invitation.not_found',
    status: 404,
    title: 'No such invitation',
    remedy: 'List open invitations with GET /v1/invitations; one that was accepted is a member.',
  },
  alreadyMember: {
    code: 'invitation.already_member',
    status: 409,
    title: 'The person is a member already',
    remedy: 'Change their role with PATCH /v1/members/{id}.',
  },
  tooMany: {
    code: 'invitation.too_many',
    status: 409,
    title: 'The account has too many open invitations',
    remedy: 'Take some back, or wait until they are accepted or have expired.',
  },
  linkInvalid: {
    code: 'invitation.link_invalid',
    status: 422,
    title: 'The invitation does not work any more',
    remedy: 'It was used, taken back, replaced by a later one, or has expired: ask for another.',
  },
});
