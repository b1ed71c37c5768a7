import type { Clock } from '../../lib/clock.ts';
import type { Cause, Context } from '../../platform/context.ts';
import type { Database } from '../../platform/db/database.ts';
import { actFor } from '../../platform/db/scope.ts';
import { hasScope } from '../../platform/http/admission.ts';
import { authErrors } from '../../platform/http/http.errors.ts';
import { type Channels, findMemberOfClosed, reopenAccount } from './closures.system.ts';
import { privacyErrors } from './privacy.errors.ts';
import type { RestoreTokens } from './restore-link.ts';

/** From where somebody comes whose credential is a link. */
export type Visitor = Omit<Cause, 'actor'>;

export interface RestoreParts {
  database: Database;
  tokens: RestoreTokens;
  /** What a member's role may do. */
  scopesOf: (role: string) => ReadonlySet<string>;
  channels: Channels;
  clock: Clock;
}

/** Whoever may close an account may take that back. */
const SCOPE = 'account:delete';

/** @returns the name of the account that is back @throws account.restore_link_invalid */
export async function restore(
  { database, tokens, scopesOf, clock, channels }: RestoreParts,
  token: string,
  visitor: Visitor,
): Promise<{ name: string }> {
  const read = tokens.read(token);
  if (read === undefined) throw privacyErrors.restoreLinkInvalid();
  const { closureId, userId } = read;
  const name = await database.system(async (tx) => {
    if (userId === undefined) {
      await actFor(tx, visitor);
    } else {
      const member = await findMemberOfClosed(tx, userId, { closureId });
      if (member === undefined || !hasScope(scopesOf(member.role), SCOPE)) return undefined;
      await actFor(tx, { ...visitor, actor: { type: 'user', id: userId, role: member.role } });
    }
    return reopenAccount(tx, closureId, clock.now(), channels);
  });
  if (name === undefined) throw privacyErrors.restoreLinkInvalid();
  return { name };
}

/** The same for a member who is signed in. @throws account.not_closed, auth.scope_missing */
export async function restoreOwn(
  { database, scopesOf, clock, channels }: RestoreParts,
  ctx: Context,
  accountId: string,
): Promise<{ name: string }> {
  const { actor } = ctx;
  if (actor.type !== 'user') throw authErrors.userNeeded();
  const name = await database.system(async (tx) => {
    const member = await findMemberOfClosed(tx, actor.id, { accountId });
    if (member === undefined) return undefined;
    if (!hasScope(scopesOf(member.role), SCOPE)) {
      throw authErrors.scopeMissing({ detail: `The call needs the scope ${SCOPE}.` });
    }
    await actFor(tx, ctx);
    return reopenAccount(tx, member.closure_id, clock.now(), channels);
  });
  if (name === undefined) throw privacyErrors.notClosed();
  return { name };
}
