import type { Context } from '../../platform/context.ts';
import { acceptInvitation } from './accept-invitation.ts';
import { type Entered, enter } from './enter.ts';
import { requestLink } from './request-link.ts';
import { signInErrors } from './sign-in.errors.ts';
import { deleteSignIn, listSignIns, type SignInRow, useLink } from './sign-in.system.ts';
import type { SignInParts, Visitor } from './sign-in-parts.ts';
import { refreshTokens } from './sign-in-tokens.ts';
import { welcome } from './welcome.ts';

/** How people sign in here. */
export type SignInMethod = { method: 'magic_link' } | { method: 'firebase'; projectId: string };

/** Signing in without Firebase, and accepting invitations. Ids are UUIDs. */
export interface SignInService {
  method(): SignInMethod;
  /**
   * Sends a link, where the address may sign in and has not had too many. The caller cannot tell.
   * @throws auth.firebase_only
   */
  requestLink(email: string): Promise<void>;
  /** @throws auth.firebase_only, auth.link_invalid, auth.not_invited */
  signIn(token: string, visitor: Visitor): Promise<Entered>;
  /** @throws auth.firebase_only, auth.refresh_invalid */
  refresh(refreshToken: string, visitor: Visitor): Promise<Entered>;
  /** @throws invitation.link_invalid, member.limit_reached */
  accept(token: string, visitor: Visitor): Promise<Entered & { accountId: string }>;
  /** Where the caller is signed in. */
  list(ctx: Context, page: { limit: number; after?: string | undefined }): Promise<SignInRow[]>;
  /** Signs out there; everywhere within two seconds. @throws sign_in.not_found */
  end(ctx: Context, id: string): Promise<void>;
  /** Signs out here. Nothing happens to those whom Firebase signed in. */
  endCurrent(ctx: Context): Promise<void>;
}

export function createSignInService(parts: SignInParts): SignInService {
  const { database, links, clock, firebaseProject } = parts;
  const needLocal = () => {
    if (firebaseProject !== undefined) throw signInErrors.firebaseOnly();
  };

  return {
    method: () =>
      firebaseProject === undefined
        ? { method: 'magic_link' }
        : { method: 'firebase', projectId: firebaseProject },

    async requestLink(email) {
      needLocal();
      await requestLink(parts, email);
    },

    async signIn(token, visitor) {
      needLocal();
      const link = links.read(token);
      if (link === undefined) throw signInErrors.linkInvalid();
      return database.system(async (tx) => {
        if (!(await useLink(tx, link.hash, clock.now()))) throw signInErrors.linkInvalid();
        const userId = await welcome(parts, tx, { email: link.email });
        return enter(parts, tx, userId, visitor);
      });
    },

    async refresh(refreshToken, visitor) {
      needLocal();
      const { userId, tokens } = await refreshTokens(parts, refreshToken, visitor);
      const user = await database.systemOnce((tx) => parts.users.find(tx, userId));
      if (user === undefined) throw signInErrors.refreshInvalid();
      return { user, tokens };
    },

    accept: (token, visitor) => acceptInvitation(parts, token, visitor),

    list: (ctx, page) => {
      const at = clock.now();
      return database.systemOnce((tx) => listSignIns(tx, callerOf(ctx), { ...page, at }));
    },

    async end(ctx, id) {
      if (!(await database.systemOnce((tx) => deleteSignIn(tx, callerOf(ctx), id)))) {
        throw signInErrors.notFound();
      }
    },

    async endCurrent(ctx) {
      const id = ctx.actor.type === 'user' ? ctx.actor.signInId : undefined;
      if (id !== undefined) await database.systemOnce((tx) => deleteSignIn(tx, callerOf(ctx), id));
    },
  };
}

function callerOf({ actor }: Context): string {
  if (actor.type !== 'user') throw new Error('the operation is for users');
  return actor.id;
}
