import type { PingrError } from '../../lib/errors.ts';
import type { Context } from '../../platform/context.ts';
import type { AccountCipher } from '../../platform/crypto/vault.ts';
import type { StoredAnswer } from '../../platform/http/answer.ts';
import { idempotencyErrors } from '../../platform/http/http.errors.ts';
import { ANSWER_PURPOSE } from '../../platform/http/idempotency.ts';
import { type Accepted, type AcceptIdempotency, acceptMessage } from './accept-message.ts';
import { sealContent } from './message-content.ts';
import { messageErrors } from './messages.errors.ts';
import { type MessageRow, newWireId } from './messages.model.ts';
import type { MessageView } from './messages.schema.ts';
import type { MessagesDependencies } from './messages.service.ts';
import { findUsableSessions } from './messages.store.ts';
import { showOpenMessage } from './show-message.ts';

export interface SendInput {
  /** UUID; `undefined` means the one connected session of the mode. */
  sessionId: string | undefined;
  /** Where the request names the session; `/session` where not said. */
  sessionPointer?: string;
  /** Digits. */
  to: string;
  text: string;
  contextMessageId: string | undefined;
  idempotency:
    | {
        key: string;
        requestHash: Uint8Array;
        /** The answer to keep, made from the message. */
        answer: (message: MessageView) => StoredAnswer;
      }
    | undefined;
}

/** The message, or the answer that the first request with this idempotency key got. */
export type Sent = { message: MessageView; replay?: undefined } | { replay: StoredAnswer };

/** Accepts a text message: one round trip to Postgres, then a hint to the worker that holds the session. */
export async function sendMessage(deps: MessagesDependencies, ctx: Context, input: SendInput): Promise<Sent> {
  const { vault, newUuid, clock } = deps;
  const { accountId, mode } = ctx;
  const pointer = input.sessionPointer ?? '/session';
  const cipher = await vault.of(accountId);
  const sessionId = input.sessionId ?? (await onlyConnectedSession(deps, ctx, pointer));
  const row = newRow({
    id: newUuid(),
    accountId,
    mode,
    sessionId,
    input,
    wireId: newWireId(deps.randomBytes),
    at: clock.now(),
  });
  const content = { text: { body: input.text } };
  const message = showOpenMessage(row, content);

  const accepted = await acceptMessage(deps.database, {
    id: row.id,
    eventId: newUuid(),
    accountId,
    mode,
    sessionId,
    to: input.to,
    type: 'text',
    sealedContent: sealContent(content, row.id, cipher),
    contextMessageId: input.contextMessageId,
    wireId: row.wire_id,
    at: row.accepted_at,
    triggerId: undefined,
    idempotency: keptAnswer(input, message, cipher),
  });

  const replay = replayOf(accepted, (sealed) => cipher.open(sealed, ANSWER_PURPOSE).toString('utf8'));
  if (replay !== undefined) return { replay };
  const refusal = refusalOf(accepted, pointer);
  if (refusal !== undefined) throw refusal;
  deps.waker.wake({ id: sessionId, mode, owner: accepted.owner ?? undefined });
  deps.onFact(accountId);
  return { message };
}

/** What a repeat of the request gets. */
function keptAnswer(
  { idempotency }: SendInput,
  message: MessageView,
  cipher: AccountCipher,
): AcceptIdempotency | undefined {
  if (idempotency === undefined) return undefined;
  const { key, requestHash } = idempotency;
  const { status: answerStatus, text } = idempotency.answer(message);
  return { key, requestHash, answerStatus, sealedAnswer: cipher.seal(Buffer.from(text), ANSWER_PURPOSE) };
}

async function onlyConnectedSession(
  { database }: MessagesDependencies,
  ctx: Context,
  pointer: string,
): Promise<string> {
  const [first, second] = await database.accountOnce(ctx, findUsableSessions);
  if (first !== undefined && second === undefined) return first;
  const detail = first === undefined ? 'no session is connected' : 'several sessions are connected; name one';
  throw messageErrors.sessionMissing({ detail, fields: [{ pointer, detail }] });
}

function replayOf(accepted: Accepted, open: (sealed: Uint8Array) => string): StoredAnswer | undefined {
  const { outcome, answer_status: status, answer } = accepted;
  if (outcome === 'key_reused') throw idempotencyErrors.keyReused();
  if (outcome === 'in_progress') throw idempotencyErrors.inProgress({ retryAfter: 1 });
  if (outcome !== 'replayed' || status === null || answer === null) return undefined;
  return { status, text: open(answer) };
}

/** The problem that says why a message was not accepted; `undefined` where it was. */
export function refusalOf({ outcome, status }: Accepted, pointer: string): PingrError | undefined {
  if (outcome === 'session_not_found') {
    return messageErrors.unknownSession({
      fields: [{ pointer, detail: 'is not a session of this account and mode' }],
    });
  }
  if (outcome === 'session_not_linked') {
    return messageErrors.sessionNotLinked({
      detail: `The session is ${status}; it cannot send until it is linked.`,
      fields: [{ pointer, detail: `is ${status}` }],
    });
  }
  if (outcome === 'context_not_found') {
    return messageErrors.contextNotFound({
      fields: [{ pointer: '/context/message_id', detail: 'is not a message of this session' }],
    });
  }
  return outcome === 'quota_reached' ? messageErrors.quotaReached() : undefined;
}

function newRow(from: {
  id: string;
  accountId: string;
  mode: Context['mode'];
  sessionId: string;
  input: SendInput;
  wireId: string;
  at: Date;
}): Omit<MessageRow, 'content'> {
  return {
    id: from.id,
    account_id: from.accountId,
    mode: from.mode,
    session_id: from.sessionId,
    direction: 'outbound',
    contact_phone: from.input.to,
    contact_lid: null,
    contact_name: null,
    type: 'text',
    context_message_id: from.input.contextMessageId ?? null,
    context_wire_id: null,
    wire_id: from.wireId,
    status: 'queued',
    automated: false,
    trigger_id: null,
    error_code: null,
    error_detail: null,
    wire_code: null,
    attempts: 0,
    accepted_at: from.at,
    sending_at: null,
    sent_at: null,
    delivered_at: null,
    read_at: null,
    played_at: null,
    failed_at: null,
  };
}
