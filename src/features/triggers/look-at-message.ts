import type { Context } from '../../platform/context.ts';
import type { AccountCipher } from '../../platform/crypto/vault.ts';
import type { Database } from '../../platform/db/database.ts';
import type { Log } from '../../platform/log/log.ts';
import type { Check } from './checks.system.ts';
import { type DraftParts, draftReply } from './draft-reply.ts';
import type { FindTrigger, Search } from './find-trigger.ts';
import { type Fired, type FireParts, fireTrigger } from './fire-trigger.ts';
import { type SenderLimits, senderLimits } from './firing.store.ts';
import type { TriggerMetrics } from './trigger-metrics.ts';
import { answers, type TriggerRow } from './triggers.model.ts';

export interface LookParts extends DraftParts, FireParts {
  database: Pick<Database, 'account' | 'accountOnce'>;
  find: FindTrigger;
  log: Log;
  metrics: Pick<TriggerMetrics, 'asked' | 'skipped'>;
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
  /** Called once its triggers are compared with it, with the processor's milliseconds that it took. */
  onCompared: (cpuMs: number) => void;
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
  const trigger = await findAllowed(parts, look, text);
  if (trigger === undefined) return 'passed';
  const draft = await draftReply(parts, trigger, { check, text, message, cipher }, signal);
  return fireTrigger(parts, ctx, { check, trigger, draft, cipher });
}

async function findAllowed(
  parts: LookParts,
  { ctx, check, triggers, onCompared }: Look,
  text: string | null,
): Promise<TriggerRow | undefined> {
  // WhatsApp's adapters take in no group messages yet; the rows of those that will, have to say so.
  const incoming = { sessionId: check.sessionId, text, inGroup: false, at: parts.clock.now() };
  const mayFire = createLimits(parts, ctx, check);
  const { trigger, skipped, cpuMs } = await parts.find({ triggers, incoming, mayFire });
  onCompared(cpuMs);
  if (skipped.length > 0) {
    const ids = skipped.map(({ id }) => id);
    parts.log.warn(
      { account: ctx.accountId, messageId: check.messageId, cpuMs: Math.round(cpuMs), triggers: ids },
      'triggers: the ones before took too long, the rest did not look at a message',
    );
    parts.metrics.skipped(skipped.length);
  }
  return trigger;
}

/** Whether triggers may fire for the sender: asks about the first that matches alone, and where it may not, about the rest. */
function createLimits({ database }: LookParts, ctx: Context, check: Check): Search['mayFire'] {
  const limits = new Map<string, SenderLimits | undefined>();
  return async (trigger, rest) => {
    if (!limits.has(trigger.id)) {
      const asked = [trigger, ...(limits.size === 0 ? [] : rest)].map(({ id }) => id);
      const found = await database.accountOnce(ctx, (tx) => senderLimits(tx, check, asked));
      for (const id of asked) limits.set(id, found.get(id));
    }
    const limit = limits.get(trigger.id);
    return limit !== undefined && !limit.cooling && !(limit.exhausted && answers(trigger));
  };
}
