import type { Clock } from '../../lib/clock.ts';
import type { NewUuid } from '../../lib/ids.ts';
import type { Context } from '../../platform/context.ts';
import { hashToken } from '../../platform/crypto/token-hash.ts';
import type { Database } from '../../platform/db/database.ts';
import { type AccountTx, bothModes, type SystemTx } from '../../platform/db/scope.ts';
import type { AccountsService } from '../accounts/accounts.service.ts';
import type { MailService } from '../mail/mail.service.ts';
import * as store from './invitations.store.ts';
import { dropInvitation, lockInvitation, type OpenInvitation } from './invitations.system.ts';
import { invitationErrors, memberErrors } from './members.errors.ts';
import { refuseBeyond } from './members.service.ts';
import { findMember, isMember } from './members.store.ts';
import type { Role } from './roles.model.ts';

/** How long an invitation is open, in days. */
export const OPEN_DAYS = 7;
const MOST_OPEN = 100;
const TOKEN_BYTES = 32;

/** Asking people to join. Ids are UUIDs. */
export interface InvitationsService {
  /**
   * Invites by mail; an earlier invitation to the same address stops working.
   * @throws member.role_forbidden, member.limit_reached, invitation.already_member, invitation.too_many
   */
  create(ctx: Context, invitation: { email: string; role: Role }): Promise<store.InvitationRow>;
  list(ctx: Context, page: { limit: number; after?: string | undefined }): Promise<store.InvitationRow[]>;
  /** @throws invitation.not_found */
  remove(ctx: Context, id: string): Promise<void>;
  /** The open invitation of a token, whose holder reads the mails of its address; locked. @throws invitation.link_invalid */
  find(tx: SystemTx, token: string): Promise<OpenInvitation>;
  /** Uses it up. */
  drop(tx: SystemTx, id: string): Promise<void>;
}

export interface InvitationsDependencies {
  database: Database;
  accounts: Pick<AccountsService, 'get'>;
  mail: Pick<MailService, 'send' | 'wake'>;
  /** The page that accepts an invitation. */
  invitationUrl: (token: string) => string;
  newUuid: NewUuid;
  randomBytes: (size: number) => Uint8Array;
  clock: Clock;
}

export function createInvitationsService(deps: InvitationsDependencies): InvitationsService {
  const { database, clock } = deps;
  return {
    create: (ctx, invitation) => invite(deps, ctx, invitation),

    list: (ctx, page) =>
      database.accountOnce(bothModes(ctx), (tx) => store.listInvitations(tx, { ...page, at: clock.now() })),

    async remove(ctx, id) {
      const found = await database.accountOnce(bothModes(ctx), (tx) => store.deleteInvitation(tx, id));
      if (!found) throw invitationErrors.notFound();
    },

    async find(tx, token) {
      const open = await lockInvitation(tx, hashToken(token), clock.now());
      if (open === undefined) throw invitationErrors.linkInvalid();
      return open;
    },

    drop: dropInvitation,
  };
}

async function invite(
  deps: InvitationsDependencies,
  ctx: Context,
  { email, role }: { email: string; role: Role },
): Promise<store.InvitationRow> {
  const { database, accounts, mail, newUuid, randomBytes, clock } = deps;
  refuseBeyond(ctx, role);
  const { name: accountName } = await accounts.get(ctx);
  const token = Buffer.from(randomBytes(TOKEN_BYTES)).toString('base64url');
  const now = clock.now();
  const row = await database.account(bothModes(ctx), async (tx) => {
    if (await isMember(tx, email)) throw invitationErrors.alreadyMember();
    if ((await store.countInvitations(tx, now)) >= MOST_OPEN) throw invitationErrors.tooMany();
    refuseBeyondPlan(await store.lockPlaces(tx, { email, at: now }));
    const inserted = await store.insertInvitation(tx, {
      id: newUuid(),
      account_id: ctx.accountId,
      email,
      role,
      token_hash: hashToken(token),
      invited_by: ctx.actor.type === 'user' ? ctx.actor.id : null,
      created_at: now,
      expires_at: new Date(now.getTime() + OPEN_DAYS * 86_400_000),
    });
    const values = {
      accountName,
      invitedBy: (await nameOfCaller(tx, ctx)) ?? accountName,
      role,
      url: deps.invitationUrl(token),
      expiresAt: inserted.expires_at,
    };
    await mail.send(tx, { accountId: ctx.accountId, to: email, template: 'invitation', values });
    return inserted;
  });
  mail.wake();
  return row;
}

/** Whom the plan has no place for would be refused when they accept. @throws member.limit_reached */
function refuseBeyondPlan({ limit, members, invited }: store.Places): void {
  if (limit === null || members + invited < limit) return;
  const open = invited === 0 ? '' : `, and ${invited} who ${invited === 1 ? 'is' : 'are'} invited`;
  throw memberErrors.limitReached({ detail: `The plan allows ${limit}; there are ${members}${open}.` });
}

async function nameOfCaller(tx: AccountTx, { actor }: Context): Promise<string | undefined> {
  if (actor.type !== 'user') return undefined;
  const member = await findMember(tx, actor.id);
  return member && (member.name || member.email);
}
