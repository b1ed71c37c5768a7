import type { Clock } from '../../lib/clock.ts';
import type { NewUuid } from '../../lib/ids.ts';
import type { Context } from '../../platform/context.ts';
import type { Database } from '../../platform/db/database.ts';
import { actFor } from '../../platform/db/scope.ts';
import type { Jobs } from '../../platform/jobs/jobs.ts';
import type { AccountsService } from '../accounts/accounts.service.ts';
import { API_KEY_CHANGED_CHANNEL } from '../api-keys/api-keys.events.ts';
import type { MailService } from '../mail/mail.service.ts';
import { SESSION_CHANGED_CHANNEL } from '../sessions/sessions.events.ts';
import { type Channels, closeAccount, reopenAccount } from './closures.system.ts';
import { privacyErrors } from './privacy.errors.ts';
import { privacySweepQueue } from './privacy.jobs.ts';
import type { RestoreTokens } from './restore-link.ts';

/** A deletion that was asked for. */
export interface Closure {
  /** UUID; its public form is the receipt. */
  id: string;
  requestedAt: Date;
  eraseAt: Date;
}

/** Leaving, and coming back. */
export interface ClosuresService {
  /**
   * Closes the caller's account at once; it is erased after some days.
   * @param confirm the account's name
   * @throws account.live_key_needed, account.not_confirmed, account.already_closed
   */
  close(ctx: Context, confirm: string): Promise<Closure>;
  /** @returns the name of the account that is back @throws account.restore_link_invalid */
  restore(token: string): Promise<{ name: string }>;
}

export interface ClosuresDependencies {
  database: Database;
  accounts: Pick<AccountsService, 'get' | 'ownerEmail'>;
  mail: Pick<MailService, 'send' | 'wake'>;
  tokens: RestoreTokens;
  /** The page that restores an account, for a token. */
  restoreUrl: (token: string) => string;
  /** For how long a deletion can be undone. */
  restoreDays: number;
  jobs: Pick<Jobs, 'queue'>;
  newUuid: NewUuid;
  clock: Clock;
}

const CHANNELS: Channels = { keyChanged: API_KEY_CHANGED_CHANNEL, sessionChanged: SESSION_CHANGED_CHANNEL };

export function createClosuresService(deps: ClosuresDependencies): ClosuresService {
  const { database, accounts, mail, tokens, newUuid, clock } = deps;
  return {
    async close(ctx, confirm) {
      refuseTestKey(ctx);
      const { name } = await accounts.get(ctx);
      if (confirm !== name) {
        throw privacyErrors.notConfirmed({
          fields: [{ pointer: '/confirm', detail: "must be the account's name" }],
        });
      }
      const requestedAt = clock.now();
      const eraseAt = new Date(requestedAt.getTime() + deps.restoreDays * 86_400_000);
      const closure = { id: newUuid(), requestedAt, eraseAt };
      await database.system(async (tx) => {
        const { accountId } = ctx;
        await actFor(tx, ctx);
        const closed = await closeAccount(tx, { ...closure, accountId, at: requestedAt }, CHANNELS);
        if (!closed) throw privacyErrors.alreadyClosed();
        const to = await accounts.ownerEmail(tx, accountId);
        if (to === null) return;
        const cancelUrl = deps.restoreUrl(tokens.write(closure.id));
        const values = { accountName: name, erasedAt: eraseAt, cancelUrl };
        await mail.send(tx, { accountId, to, template: 'account_deletion', values });
      });
      mail.wake();
      await sweepAt(deps, eraseAt).catch((err: unknown) => ctx.log.warn({ err }, 'the sweep finds it later'));
      ctx.log.info({ closure: closure.id }, 'account closed');
      return closure;
    },

    async restore(token) {
      const id = tokens.read(token);
      if (id === undefined) throw privacyErrors.restoreLinkInvalid();
      const name = await database.systemOnce((tx) => reopenAccount(tx, id, clock.now(), CHANNELS));
      if (name === undefined) throw privacyErrors.restoreLinkInvalid();
      return { name };
    },
  };
}

/** Has the account erased when its time comes; the regular sweep would be minutes late. */
async function sweepAt({ jobs, clock }: ClosuresDependencies, at: Date): Promise<void> {
  const delayMs = Math.max(0, at.getTime() - clock.now().getTime());
  await jobs.queue(privacySweepQueue).add({ task: 'sweep' }, { delayMs });
}

/** Test keys are handed around freely, and what is exported or deleted is of both modes. @throws account.live_key_needed */
export function refuseTestKey(ctx: Pick<Context, 'actor' | 'mode'>): void {
  if (ctx.actor.type === 'api_key' && ctx.mode === 'test') throw privacyErrors.liveKeyNeeded();
}
