import type { Clock } from '../../lib/clock.ts';
import type { NewUuid } from '../../lib/ids.ts';
import type { Context } from '../../platform/context.ts';
import type { AccountCipher } from '../../platform/crypto/vault.ts';
import type { Database } from '../../platform/db/database.ts';
import type { AccountTx } from '../../platform/db/scope.ts';
import { sealEventData } from '../events/events.events.ts';
import type { MessagesService } from '../messages/messages.service.ts';
import type { Check } from './checks.system.ts';
import type { Draft } from './draft-reply.ts';
import * as store from './firing.store.ts';
import type { TriggerRow } from './triggers.model.ts';

export interface FireParts {
  database: Pick<Database, 'account'>;
  messages: Pick<MessagesService, 'acceptIn'>;
  newUuid: NewUuid;
  clock: Clock;
  /** Called with the account after the commit. */
  onFact: (accountId: string) => void;
}

/** A trigger and the message that it fires at. */
export interface Firing {
  check: Check;
  trigger: TriggerRow;
  draft: Draft;
  cipher: AccountCipher;
}

export type Fired =
  /** `none`: it sent nothing, and was not to. */
  | { reply: 'sent' | 'none' | 'failed' }
  /** What it was decided on has changed. */
  | 'stale'
  /** Somebody else deals with the message now. */
  | 'lost';

/** Rolls the transaction back. */
class Superseded extends Error {
  readonly by: 'stale' | 'lost';
  constructor(by: 'stale' | 'lost') {
    super(`the firing is ${by}`);
    this.by = by;
  }
}

/**
 * Fires: the reply, the counts, the cool-down, the fact and the end of the check are one transaction, so that a message
 * gets one reply whatever is killed in between.
 */
export async function fireTrigger(parts: FireParts, ctx: Context, firing: Firing): Promise<Fired> {
  try {
    const reply = await parts.database.account(ctx, (tx) => fireIn(parts, tx, ctx, firing));
    parts.onFact(ctx.accountId);
    if (reply === undefined) return { reply: firing.draft.problem === null ? 'none' : 'failed' };
    if (reply.refused !== undefined) return { reply: 'failed' };
    reply.committed();
    return { reply: 'sent' };
  } catch (error) {
    if (error instanceof Superseded) return error.by;
    throw error;
  }
}

async function fireIn(parts: FireParts, tx: AccountTx, ctx: Context, firing: Firing) {
  const { check, trigger } = firing;
  if (!(await store.takeCheck(tx, check))) throw new Superseded('lost');
  const cools = trigger.cooldown_seconds > 0;
  if (cools && !(await store.startCooldown(tx, trigger, check.contact))) throw new Superseded('stale');
  const reply = await acceptReply(parts, tx, ctx, firing);
  const at = parts.clock.now();
  const id = parts.newUuid();
  const sent = reply !== undefined && reply.refused === undefined ? reply.id : null;
  const problem = reply?.refused ?? firing.draft.problem;
  const data = {
    trigger_id: trigger.id,
    name: trigger.name,
    reply_message_id: sent,
    reply_error: problem && { code: problem.code, detail: problem.message },
    // It opens an account somewhere: not in the clear.
    ...(sent !== null &&
      firing.draft.code !== null &&
      sealEventData({ code: firing.draft.code }, id, firing.cipher)),
  };
  await store.announce(tx, { id, type: 'trigger.fired', check, trigger, data, at });
  if (!(await store.countFiring(tx, trigger.id, at))) throw new Superseded('stale');
  return reply;
}

async function acceptReply({ messages }: FireParts, tx: AccountTx, ctx: Context, firing: Firing) {
  const { check, trigger, draft } = firing;
  if (draft.text === null || check.phone === null) return undefined;
  const { sessionId, phone: to } = check;
  return messages.acceptIn(tx, ctx, { sessionId, to, text: draft.text, triggerId: trigger.id });
}
