import type { PingrError } from '../../lib/errors.ts';
import { toId } from '../../lib/ids.ts';
import type { AccountCipher } from '../../platform/crypto/vault.ts';
import { localDate } from './active-hours.ts';
import { type AskParts, askReply, type ReplyAnswer } from './ask-reply.ts';
import type { Check } from './checks.system.ts';
import { newCode } from './new-code.ts';
import { renderReply, usesVariable } from './render-reply.ts';
import type { TriggerMetrics } from './trigger-metrics.ts';
import { replyErrors } from './triggers.errors.ts';
import { secretOf, type TriggerRow } from './triggers.model.ts';

/** What a trigger is about to answer. */
export interface Draft {
  /** Null where nothing is sent. */
  text: string | null;
  /** The one-time code in the text. */
  code: string | null;
  /** Why there is no text, or only the fallback. */
  problem: PingrError | null;
}

export interface DraftParts extends AskParts {
  randomBytes: (size: number) => Uint8Array;
  metrics: Pick<TriggerMetrics, 'asked'>;
}

/** A message that a trigger is for. */
export interface Occasion {
  check: Check;
  /** Null where it has none. */
  text: string | null;
  /** The message as the API shows it. */
  message: object;
  cipher: AccountCipher;
}

/** Older messages get no answer: who wrote them is not waiting any more. */
const OLDEST_MS = 5 * 60_000;
const NOTHING: Draft = { text: null, code: null, problem: null };

/** Writes the reply, asking the customer's server where there is one. @param signal gives up */
export async function draftReply(
  parts: DraftParts,
  trigger: TriggerRow,
  occasion: Occasion,
  signal: AbortSignal,
): Promise<Draft> {
  const { check } = occasion;
  if (trigger.reply === null && trigger.reply_url === null) return NOTHING;
  if (parts.clock.now().getTime() - check.sentAt.getTime() > OLDEST_MS) {
    return { ...NOTHING, problem: replyErrors.messageTooOld() };
  }
  if (check.phone === null) return { ...NOTHING, problem: replyErrors.senderUnknown() };
  if (trigger.reply !== null) return fill(parts, trigger, occasion, trigger.reply);

  const answer = await ask(parts, trigger, occasion, signal);
  if (answer.kind === 'none') return NOTHING;
  if (answer.kind === 'text') return { ...NOTHING, text: answer.text };
  const problem = replyErrors.urlFailed({ detail: `The reply URL gave no usable answer: ${answer.reason}.` });
  const { fallback_reply: fallback } = trigger;
  return fallback === null
    ? { ...NOTHING, problem }
    : { ...fill(parts, trigger, occasion, fallback), problem };
}

function fill(
  { clock, randomBytes }: DraftParts,
  trigger: TriggerRow,
  { check, text: message }: Occasion,
  template: string,
): Draft {
  const code = usesVariable(template, 'code') ? newCode(randomBytes) : null;
  const text = renderReply(template, {
    phone: check.phone ?? '',
    name: check.name ?? '',
    message: message ?? '',
    date: localDate(trigger.active_hours?.time_zone ?? 'UTC', clock.now()),
    code: code ?? '',
  });
  return text.trim() === '' ? { ...NOTHING, problem: replyErrors.empty() } : { text, code, problem: null };
}

async function ask(
  parts: DraftParts,
  trigger: TriggerRow,
  { check, message, cipher }: Occasion,
  signal: AbortSignal,
): Promise<ReplyAnswer> {
  const secret = secretOf(trigger, cipher);
  if (trigger.reply_url === null || secret === null) throw new Error('the trigger has nobody to ask');
  const body = JSON.stringify({
    type: 'trigger.reply',
    trigger_id: toId('trigger', trigger.id),
    name: trigger.name,
    mode: trigger.mode,
    account_id: toId('account', trigger.account_id),
    session_id: toId('session', check.sessionId),
    from: { phone: check.phone, name: check.name },
    message,
  });
  const started = performance.now();
  const question = { url: trigger.reply_url, secret, id: toId('message', check.messageId), body };
  const answer = await askReply(parts, question, signal);
  parts.metrics.asked(answer.kind, performance.now() - started);
  return answer;
}
