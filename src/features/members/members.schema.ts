import { z } from 'zod';
import { toId } from '../../lib/ids.ts';
import { idField, timeField } from '../../platform/http/api-fields.ts';
import type { InvitationRow } from './invitations.store.ts';
import type { MemberRow } from './members.store.ts';
import { ROLES } from './roles.model.ts';

const role = z.enum(ROLES).meta({
  description:
    'What they may do: `owner` everything, `admin` all but deleting the account and making owners, `developer` sessions, keys, webhooks and triggers, `agent` messages, `viewer` looking.',
  example: 'developer',
});

export const memberView = z
  .object({
    id: idField('user', 'Id of the user.'),
    email: z.string().meta({ description: 'E-mail address.', example: 'ada@example.com' }),
    name: z.string().meta({ description: 'What they are called; empty where not said.', example: 'Ada' }),
    avatar_url: z
      .string()
      .nullable()
      .meta({ description: 'Picture.', example: 'https://example.com/ada.png' }),
    role,
    joined_at: timeField('When they became a member.'),
  })
  .meta({ id: 'Member', description: 'A person who works in the account.' });

export const memberChange = z
  .strictObject({ role })
  .meta({ id: 'MemberChange', description: "A member's new role." });

export const newInvitation = z
  .strictObject({
    email: z
      .email('must be an e-mail address')
      .max(254)
      .transform((email) => email.toLowerCase())
      .meta({ description: 'Whom to invite.', example: 'ada@example.com' }),
    role,
  })
  .meta({ id: 'NewInvitation', description: 'A person to invite.' });

export const invitationView = z
  .object({
    id: idField('invitation', 'Id of the invitation.'),
    email: z.string().meta({ description: 'Who is invited.', example: 'ada@example.com' }),
    role,
    invited_by: idField('user', 'The member who invited; null for a key.').nullable(),
    created_at: timeField('When the mail was written.'),
    expires_at: timeField('When the invitation ends.'),
  })
  .meta({ id: 'Invitation', description: 'An invitation that has not been accepted.' });

/** A member as the API shows them. */
export function showMember(row: MemberRow): z.input<typeof memberView> {
  const { id, email, name, avatar_url, role: held, joined_at } = row;
  return { id: toId('user', id), email, name, avatar_url, role: held, joined_at: joined_at.toISOString() };
}

/** An invitation as the API shows it; its token is in the mail alone. */
export function showInvitation(row: InvitationRow): z.input<typeof invitationView> {
  return {
    id: toId('invitation', row.id),
    email: row.email,
    role: row.role,
    invited_by: row.invited_by && toId('user', row.invited_by),
    created_at: row.created_at.toISOString(),
    expires_at: row.expires_at.toISOString(),
  };
}
