import type { NewUuid } from '../../lib/ids.ts';
import type { Context } from '../../platform/context.ts';
import { actFor, type SystemTx } from '../../platform/db/scope.ts';
import type { Jobs } from '../../platform/jobs/jobs.ts';
import type { AccountsService } from '../accounts/accounts.service.ts';
import { API_KEY_CHANGED_CHANNEL } from '../api-keys/api-keys.events.ts';
import type { MailService } from '../mail/mail.service.ts';
import { SESSION_CHANGED_CHANNEL } from '../sessions/sessions.events.ts';
import { type Channels, closeAccount } from './closures.system.ts';
import { privacyErrors } from './privacy.errors.ts';
import { privacySweepQueue } from './privacy.jobs.ts';
import { type RestoreParts, restore, restoreOwn, type Visitor } from './restore-account.ts';

/** A deletion that was asked for. */
export interface Closure {
  /** UUID; its public form is the receipt. */
  id: string;
  requestedAt: Date;
  eraseAt: Date;
  /** Undoes it; given only where there is nobody to whom it could be mailed. */
  restoreToken: string | undefined;
}

/** Leaving, and coming back. */
export interface ClosuresService {
  /**
   * Closes the caller's account at once; it is erased after some days.
   * @param confirm the account's name
   * @throws account.not_confirmed, account.already_closed
   */
  close(ctx: Context, confirm: string): Promise<Closure>;
  /** @returns the name of the account that is back @throws account.restore_link_invalid */
  restore(token: string, visitor: Visitor): Promise<{ name: string }>;
  /**
   * The same for a person who is signed in.
   * @param accountId UUID
   * @throws account.not_closed, auth.scope_missing
   */
  restoreOwn(ctx: Context, accountId: string): Promise<{ name: string }>;
}

export interface ClosuresDependencies extends Omit<RestoreParts, 'channels'> {
  accounts: Pick<AccountsService, 'get'>;
  mail: Pick<MailService, 'send' | 'owners' | 'wake'>;
  /** The page that restores an account, for a token. */
  restoreUrl: (token: string) => string;
  /** For how long a deletion can be undone. */
  restoreDays: number;
  jobs: Pick<Jobs, 'queue'>;
  newUuid: NewUuid;
}

const CHANNELS: Channels = { keyChanged: API_KEY_CHANGED_CHANNEL, sessionChanged: SESSION_CHANGED_CHANNEL };

export function createClosuresService(deps: ClosuresDependencies): ClosuresService {
  return {
    close: (ctx, confirm) => close(deps, ctx, confirm),
    restore: (token, visitor) => restore({ ...deps, channels: CHANNELS }, token, visitor),
    restoreOwn: (ctx, accountId) => restoreOwn({ ...deps, channels: CHANNELS }, ctx, accountId),
  };
}

async function close(deps: ClosuresDependencies, ctx: Context, confirm: string): Promise<Closure> {
  const { database, accounts, mail, newUuid, clock } = deps;
  const { name } = await accounts.get(ctx);
  if (confirm !== name) {
    throw privacyErrors.notConfirmed({
      fields: [{ pointer: '/confirm', detail: "must be the account's name" }],
    });
  }
  const requestedAt = clock.now();
  const eraseAt = new Date(requestedAt.getTime() + deps.restoreDays * 86_400_000);
  const closure = { id: newUuid(), requestedAt, eraseAt };
  const restoreToken = await database.system(async (tx) => {
    const { accountId } = ctx;
    await actFor(tx, ctx);
    const closed = await closeAccount(tx, { ...closure, accountId, at: requestedAt }, CHANNELS);
    if (!closed) throw privacyErrors.alreadyClosed();
    return offerRestoring(deps, tx, { ...closure, accountId, accountName: name });
  });
  mail.wake();
  await sweepAt(deps, eraseAt).catch((err: unknown) => ctx.log.warn({ err }, 'the sweep finds it later'));
  ctx.log.info({ closure: closure.id }, 'account closed');
  return { ...closure, restoreToken };
}

/** Mails everybody concerned a link of their own. @returns a token where there is nobody */
async function offerRestoring(
  { mail, tokens, restoreUrl }: ClosuresDependencies,
  tx: SystemTx,
  closure: { id: string; eraseAt: Date; accountId: string; accountName: string },
): Promise<string | undefined> {
  const { id: closureId, eraseAt: erasedAt, accountId, accountName } = closure;
  const owners = await mail.owners(tx, accountId);
  for (const { email: to, userId } of owners) {
    const cancelUrl = restoreUrl(tokens.write({ closureId, userId: userId ?? undefined }));
    const values = { accountName, erasedAt, cancelUrl };
    await mail.send(tx, { accountId, to, template: 'account_deletion', values });
  }
  return owners.length === 0 ? tokens.write({ closureId, userId: undefined }) : undefined;
}

/** Has the account erased when its time comes; the regular sweep would be minutes late. */
async function sweepAt({ jobs, clock }: ClosuresDependencies, at: Date): Promise<void> {
  const delayMs = Math.max(0, at.getTime() - clock.now().getTime());
  await jobs.queue(privacySweepQueue).add({ task: 'sweep' }, { delayMs });
}
