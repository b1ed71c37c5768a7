import type { Clock } from '../../lib/clock.ts';
import type { NewUuid } from '../../lib/ids.ts';
import type { Database } from '../../platform/db/database.ts';
import type { LocalTokens } from '../../platform/identity/local-tokens.ts';
import type { Log } from '../../platform/log/log.ts';
import type { RateLimiter } from '../../platform/rate-limit/rate-limiter.ts';
import type { MailService } from '../mail/mail.service.ts';
import type { InvitationsService } from '../members/invitations.service.ts';
import type { MagicLinks } from './magic-links.ts';
import type { WelcomeParts } from './welcome.ts';

/** From where somebody signs in. */
export interface Visitor {
  ip: string;
  userAgent: string | undefined;
}

/** What signing in stands on. */
export interface SignInParts extends WelcomeParts {
  database: Database;
  invitations: Pick<InvitationsService, 'find' | 'drop'>;
  mail: Pick<MailService, 'send' | 'wake'>;
  links: MagicLinks;
  tokens: LocalTokens;
  /** Links that an address gets per window. */
  linkLimiter: RateLimiter;
  /** The page that a sign-in link leads to. */
  signInUrl: (token: string) => string;
  /** Set where people sign in through Firebase. */
  firebaseProject: string | undefined;
  newUuid: NewUuid;
  randomBytes: (size: number) => Uint8Array;
  clock: Clock;
  log: Log;
}
