import type { Context } from '../../platform/context.ts';
import type { AccountCipher } from '../../platform/crypto/vault.ts';
import { newWebhookSecret } from '../../platform/crypto/webhook-signature.ts';
import type { AccountTx } from '../../platform/db/scope.ts';
import { requestErrors } from '../../platform/http/http.errors.ts';
import { describeUrlRefusal, OutboundError } from '../../platform/net/outbound-error.ts';
import { isSameRule, settingsProblems } from './settings-problems.ts';
import { showTrigger, type TriggerWithSecret } from './show-trigger.ts';
import { triggerErrors } from './triggers.errors.ts';
import { sealSecret, secretOf, type TriggerRow, type TriggerSettings } from './triggers.model.ts';
import type { TriggersDependencies } from './triggers.service.ts';
import * as store from './triggers.store.ts';

/** Triggers that an account may have in one mode: every received message may have to be compared with all. */
const MOST_TRIGGERS = 200;

/** What is left out stays as it is. */
export type TriggerChange = { [K in keyof TriggerSettings]?: TriggerSettings[K] | undefined };

export async function createTrigger(
  deps: TriggersDependencies,
  ctx: Context,
  settings: TriggerSettings,
): Promise<TriggerWithSecret> {
  const { database, vault, newUuid, randomBytes } = deps;
  refuseProblems(settings);
  await refuseUncallable(deps, ctx, settings.reply_url);
  const id = newUuid();
  const cipher = await vault.of(ctx.accountId);
  const secret = settings.reply_url === null ? null : newWebhookSecret(randomBytes);
  const row = await database.account(ctx, async (tx) => {
    await refuseBeyondPlan(ctx, tx);
    if ((await store.countTriggers(tx, ctx.accountId, ctx.mode)) >= MOST_TRIGGERS) {
      throw triggerErrors.tooMany({ detail: `There are ${MOST_TRIGGERS} already, which is the limit.` });
    }
    await refuseUnknownSessions(deps, tx, settings.session_ids ?? []);
    return store.insertTrigger(tx, {
      ...settings,
      id,
      account_id: ctx.accountId,
      mode: ctx.mode,
      secret: secret === null ? null : sealSecret(secret, id, cipher),
    });
  });
  return { view: showTrigger(row), secret };
}

/** A trigger that gets its first `reply_url` gets a secret. */
export async function changeTrigger(
  deps: TriggersDependencies,
  ctx: Context,
  id: string,
  change: TriggerChange,
): Promise<TriggerRow> {
  const { database, vault } = deps;
  const cipher = await vault.of(ctx.accountId);
  for (;;) {
    const seen = existing(await database.accountOnce(ctx, (tx) => store.findTrigger(tx, id)));
    // Before the transaction, which is too precious to wait for a name server, or for a pattern to be compiled.
    refuseProblems({ ...seen, ...given(change) });
    await refuseUncallable(deps, ctx, change.reply_url ?? null);
    const changed = await database.account(ctx, (tx) => changeIn(deps, tx, { ctx, seen, change, cipher }));
    if (changed !== undefined) return changed;
  }
}

/** @returns `undefined` where it is not any more as it was seen, and has to be checked again */
async function changeIn(
  { clock, randomBytes, sessionProblems }: TriggersDependencies,
  tx: AccountTx,
  {
    ctx,
    seen,
    change,
    cipher,
  }: { ctx: Context; seen: TriggerRow; change: TriggerChange; cipher: AccountCipher },
): Promise<TriggerRow | undefined> {
  const before = existing(await store.lockTrigger(tx, seen.id));
  if (!isSameRule(before, seen)) return undefined;
  const after = { ...before, ...given(change), updated_at: clock.now() };
  if (after.enabled && !before.enabled) await refuseBeyondPlan(ctx, tx);
  await refuseUnknownSessions({ sessionProblems }, tx, change.session_ids ?? [], before.session_ids ?? []);
  const needsSecret = after.reply_url !== null && before.secret === null;
  const secret = needsSecret ? sealSecret(newWebhookSecret(randomBytes), seen.id, cipher) : before.secret;
  return store.updateTrigger(tx, { ...after, secret });
}

export async function revealSecret(
  { database, vault }: TriggersDependencies,
  ctx: Context,
  id: string,
): Promise<string | null> {
  const cipher = await vault.of(ctx.accountId);
  return secretOf(existing(await database.accountOnce(ctx, (tx) => store.findTrigger(tx, id))), cipher);
}

function given(change: TriggerChange): Partial<TriggerSettings> {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
}

function refuseProblems(settings: TriggerSettings): void {
  const fields = settingsProblems(settings);
  if (fields.length > 0) throw requestErrors.invalid({ fields });
}

/** What is new or switched on has to be in the plan; what is there already goes on. Test mode is free. */
async function refuseBeyondPlan({ mode }: Context, tx: AccountTx): Promise<void> {
  if (mode === 'live' && !(await store.planHasTriggers(tx))) throw triggerErrors.notInPlan();
}

async function refuseUnknownSessions(
  { sessionProblems }: Pick<TriggersDependencies, 'sessionProblems'>,
  tx: AccountTx,
  ...named: [ids: readonly string[], known?: readonly string[]]
): Promise<void> {
  const fields = await sessionProblems(tx, ...named);
  if (fields.length > 0) throw triggerErrors.unknownSession({ fields });
}

async function refuseUncallable(
  { outbound, policyFor }: TriggersDependencies,
  { mode }: Context,
  url: string | null,
): Promise<void> {
  if (url === null) return;
  try {
    await outbound.check(url, policyFor(mode));
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error;
    const detail = describeUrlRefusal(error);
    throw triggerErrors.urlRefused({
      detail: `The URL ${detail}.`,
      fields: [{ pointer: '/reply_url', detail }],
      cause: error,
    });
  }
}

/** @throws trigger.not_found where there is none */
export function existing(row: TriggerRow | undefined): TriggerRow {
  if (row === undefined) throw triggerErrors.notFound();
  return row;
}
