import { randomBytes } from 'node:crypto';
import type { AccountsService } from '../features/accounts/accounts.service.ts';
import { auditRoutes } from '../features/audit/audit.routes.ts';
import { createAuditService } from '../features/audit/audit.service.ts';
import type { MailService } from '../features/mail/mail.service.ts';
import { invitationRoutes } from '../features/members/invitations.routes.ts';
import { createInvitationsService } from '../features/members/invitations.service.ts';
import { invitationErrors, memberErrors } from '../features/members/members.errors.ts';
import { memberRoutes } from '../features/members/members.routes.ts';
import { createMembersService } from '../features/members/members.service.ts';
import { scopesOfRole } from '../features/members/roles.model.ts';
import { createUserAuthenticator, type FirebaseSignIn } from '../features/sign-in/authenticate-user.ts';
import { createMagicLinks } from '../features/sign-in/magic-links.ts';
import { callerErrors } from '../features/sign-in/sign-in.errors.ts';
import { signInRoutes } from '../features/sign-in/sign-in.routes.ts';
import { createSignInService } from '../features/sign-in/sign-in.service.ts';
import { invitationUrl, serveSignInPage, signInUrl } from '../features/sign-in/sign-in-page.routes.ts';
import { signInsRoutes } from '../features/sign-in/sign-ins.routes.ts';
import { userRoutes } from '../features/users/users.routes.ts';
import { createUsersService } from '../features/users/users.service.ts';
import type { ErrorFactory } from '../lib/errors.ts';
import { newUuid } from '../lib/ids.ts';
import { systemClock } from '../lib/system-clock.ts';
import { deriveKey } from '../platform/crypto/derived-key.ts';
import type { Authenticate, AuthenticateCaller } from '../platform/http/admission.ts';
import type { AppOptions } from '../platform/http/app.ts';
import type { Route } from '../platform/http/route.ts';
import { createRevocationCheck } from '../platform/identity/firebase-revocation.ts';
import { createFirebaseTokens } from '../platform/identity/firebase-tokens.ts';
import { tokenErrors } from '../platform/identity/identity.errors.ts';
import { createLocalTokens, looksLikeToken } from '../platform/identity/local-tokens.ts';
import type { Log } from '../platform/log/log.ts';
import { createRateLimiter } from '../platform/rate-limit/rate-limiter.ts';
import type { RateLimitStore } from '../platform/rate-limit/stores.ts';
import type { ApiConfig } from './config.ts';
import type { Core } from './core.ts';
import { publicUrlOf } from './parts-files.ts';

/** What people need of others. */
interface PeopleNeeds {
  accounts: AccountsService;
  mails: MailService;
  rateLimitStore: RateLimitStore;
}

/** What signing in brings to the edge. */
export interface People {
  routes: Route[];
  pages: NonNullable<AppOptions['pages']>;
  /** The check of keys, with that of sign-in tokens beside it. */
  besideKeys: (keys: Authenticate) => AuthenticateCaller;
  /** What sign-in tokens may be refused for. */
  refusals: readonly ErrorFactory[];
}

const LINK_WINDOW_MS = 15 * 60_000;

/** The parts of {@link Core} and the configuration that people stand on. */
type PeopleCore = Pick<Core, 'database' | 'notices' | 'log'>;
type PeopleConfig = Pick<
  ApiConfig,
  | 'masterKey'
  | 'publicUrl'
  | 'port'
  | 'signUp'
  | 'firebaseProjectId'
  | 'firebaseJwksUrl'
  | 'firebaseServiceAccount'
>;

/** Users, members, invitations, signing in and the audit log. */
export async function openPeople(
  core: PeopleCore,
  config: PeopleConfig,
  { accounts, mails, rateLimitStore: store }: PeopleNeeds,
  clock = systemClock,
): Promise<People> {
  const { database, log } = core;
  const publicUrl = publicUrlOf(config);
  const shared = { ...core, accounts, mail: mails, newUuid, randomBytes, clock, signUp: config.signUp };
  const users = createUsersService(shared);
  const members = createMembersService(shared);
  const invitations = createInvitationsService({
    ...shared,
    invitationUrl: (token) => invitationUrl(publicUrl, token),
  });
  const tokens = createLocalTokens({ key: deriveKey(config.masterKey, 'pingr sign-in tokens'), clock });
  const parts = { ...shared, users, members, invitations, tokens };
  const signIn = createSignInService({
    ...parts,
    links: createMagicLinks({ key: deriveKey(config.masterKey, 'pingr sign-in links'), clock }),
    linkLimiter: createRateLimiter({ store, clock, windowMs: LINK_WINDOW_MS }),
    signInUrl: (token) => signInUrl(publicUrl, token),
    firebaseProject: config.firebaseProjectId,
  });
  const firebase = await openFirebase(config, log, clock);
  const byToken = await createUserAuthenticator({ ...parts, firebase, scopesOf: scopesOfRole });
  return {
    routes: [
      ...signInRoutes(signIn, [invitationErrors.linkInvalid, memberErrors.limitReached]),
      ...signInsRoutes(signIn),
      ...userRoutes(users),
      ...memberRoutes(members),
      ...invitationRoutes(invitations),
      ...auditRoutes(createAuditService({ database })),
    ],
    pages: [serveSignInPage],
    besideKeys: (keys) => (credential, ip, wanted) =>
      looksLikeToken(credential) ? byToken(credential, ip, wanted) : keys(credential, ip),
    refusals: [...Object.values(tokenErrors), ...Object.values(callerErrors)],
  };
}

async function openFirebase(
  config: PeopleConfig,
  log: Log,
  clock: typeof systemClock,
): Promise<FirebaseSignIn | undefined> {
  const { firebaseProjectId: projectId, firebaseJwksUrl: jwksUrl, firebaseServiceAccount: account } = config;
  if (projectId === undefined) return undefined;
  const tokens = createFirebaseTokens({ projectId, jwksUrl, clock });
  if (account === undefined) return { projectId, tokens };
  // The Admin SDK is large: nobody else loads it.
  const { openFirebaseAdmin } = await import('../platform/identity/firebase-admin.ts');
  const checkRevocation = createRevocationCheck({ find: openFirebaseAdmin(account), log });
  return { projectId, tokens, checkRevocation };
}
