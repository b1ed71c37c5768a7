import type { Context } from '../../platform/context.ts';
import type { AccountCipher } from '../../platform/crypto/vault.ts';
import type { StoredAnswer } from '../../platform/http/answer.ts';
import { idempotencyErrors } from '../../platform/http/http.errors.ts';
import { ANSWER_PURPOSE } from '../../platform/http/idempotency.ts';
import type { Accepted, AcceptIdempotency } from './accept-message.ts';
import type { MessageView } from './messages.schema.ts';
import type { MessagesDependencies } from './messages.service.ts';
import { findMessages } from './messages.store.ts';
import type { SendInput } from './send-message.ts';

/** What a repeat of the request will get, sealed; `undefined` where the request has no key. */
export function sealAnswer(
  { idempotency }: SendInput,
  message: MessageView,
  cipher: AccountCipher,
): AcceptIdempotency | undefined {
  if (idempotency === undefined) return undefined;
  const { key, requestHash } = idempotency;
  const { status: answerStatus, text } = idempotency.answer(message);
  return { key, requestHash, answerStatus, sealedAnswer: cipher.seal(Buffer.from(text), ANSWER_PURPOSE) };
}

/**
 * The answer that the first request with this key got; `undefined` where this is the first.
 * @throws idempotency.key_reused, idempotency.in_progress
 */
export function openAnswer(accepted: Accepted, cipher: AccountCipher): StoredAnswer | undefined {
  const { outcome, answer_status: status, answer } = accepted;
  if (outcome === 'key_reused') throw idempotencyErrors.keyReused();
  if (outcome === 'in_progress') throw idempotencyErrors.inProgress({ retryAfter: 1 });
  if (outcome !== 'replayed' || status === null || answer === null) return undefined;
  return { status, text: cipher.open(answer, ANSWER_PURPOSE).toString('utf8') };
}

/** The kept answer with WhatsApp's id of the quoted message, which was not known yet when the answer was sealed. */
export async function withQuote(
  { database }: MessagesDependencies,
  ctx: Context,
  { contextMessageId }: SendInput,
  answer: StoredAnswer,
): Promise<StoredAnswer> {
  if (contextMessageId === undefined) return answer;
  const [quoted] = await database.accountOnce(ctx, (tx) => findMessages(tx, [contextMessageId]));
  if (quoted === undefined) return answer;
  const complete = (name: string, value: unknown): unknown =>
    name === 'context' && typeof value === 'object' && value !== null
      ? { ...value, whatsapp_id: quoted.wire_id }
      : value;
  return { status: answer.status, text: JSON.stringify(JSON.parse(answer.text, complete)) };
}
