import type { Context } from '../../platform/context.ts';
import type { AccountCipher } from '../../platform/crypto/vault.ts';
import type { Database } from '../../platform/db/database.ts';
import type { Check } from './checks.system.ts';
import { type DraftParts, draftReply } from './draft-reply.ts';
import type { FindTriggers } from './find-trigger.ts';
import { type Fired, type FireParts, fireTrigger } from './fire-trigger.ts';
import { senderLimits } from './firing.store.ts';
import { answers, type TriggerRow } from './triggers.model.ts';

export interface LookParts extends DraftParts, FireParts {
  database: Pick<Database, 'account' | 'accountOnce'>;
  find: FindTriggers;
}

/** What a message says, as the API shows it. */
export interface ReceivedMessage {
  text: { body: string } | null;
}

/** A received message with all that is needed to deal with it. */
export interface Look {
  ctx: Context;
  check: Check;
  /** `undefined` once it is gone. */
  message: ReceivedMessage | undefined;
  /** Switched on, in the order in which they are asked. */
  triggers: readonly TriggerRow[];
  cipher: AccountCipher;
}

/** Lets the first trigger fire that is for the message and may. @returns `passed` where there is none */
export async function lookAtMessage(
  parts: LookParts,
  look: Look,
  signal: AbortSignal,
): Promise<Fired | 'passed'> {
  const { ctx, check, message, cipher } = look;
  if (check.isMute || message === undefined) return 'passed';
  const text = message.text?.body ?? null;
  // WhatsApp's adapters take in no group messages yet; the rows of those that will, have to say so.
  const incoming = { sessionId: check.sessionId, text, inGroup: false, at: parts.clock.now() };
  const fitting = parts.find(look.triggers, incoming);
  const trigger = await firstAllowed(parts, ctx, check, fitting);
  if (trigger === undefined) return 'passed';
  const draft = await draftReply(parts, trigger, { check, text, message, cipher }, signal);
  return fireTrigger(parts, ctx, { check, trigger, draft, cipher });
}

async function firstAllowed(
  { database }: LookParts,
  ctx: Context,
  check: Check,
  fitting: readonly TriggerRow[],
): Promise<TriggerRow | undefined> {
  if (fitting.length === 0) return undefined;
  const ids = fitting.map(({ id }) => id);
  const limits = await database.accountOnce(ctx, (tx) => senderLimits(tx, check, ids));
  return fitting.find((trigger) => {
    const limit = limits.get(trigger.id);
    return limit !== undefined && !limit.cooling && !(limit.exhausted && answers(trigger));
  });
}
