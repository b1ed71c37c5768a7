import type { PingrError } from '../../lib/errors.ts';
import type { Context } from '../../platform/context.ts';
import type { StoredAnswer } from '../../platform/http/answer.ts';
import { recallAnswer } from '../../platform/http/idempotency.ts';
import { type Accepted, acceptMessage } from './accept-message.ts';
import { openAnswer, sealAnswer, withQuote } from './kept-answer.ts';
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
  const { sessionId } = input;
  const sent = await (sessionId === undefined
    ? sendFromOnlySession(deps, ctx, input)
    : sendFrom(deps, ctx, sessionId, input));
  return sent.replay === undefined ? sent : { replay: await withQuote(deps, ctx, input, sent.replay) };
}

/** A repeat is answered as the first time, whatever has become of the sessions since. */
async function sendFromOnlySession(
  deps: MessagesDependencies,
  ctx: Context,
  input: SendInput,
): Promise<Sent> {
  const { database, vault } = deps;
  const [first, second] = await database.accountOnce(ctx, findUsableSessions);
  if (first !== undefined && second === undefined) return sendFrom(deps, ctx, first, input);
  const cipher = await vault.of(ctx.accountId);
  const replay = input.idempotency && (await recallAnswer(database, ctx, input.idempotency, cipher));
  if (replay !== undefined) return { replay };
  const detail = first === undefined ? 'no session is connected' : 'several sessions are connected; name one';
  throw messageErrors.sessionMissing({ detail, fields: [{ pointer: pointerOf(input), detail }] });
}

async function sendFrom(
  deps: MessagesDependencies,
  ctx: Context,
  sessionId: string,
  input: SendInput,
): Promise<Sent> {
  const { vault, newUuid, clock } = deps;
  const { accountId, mode } = ctx;
  const cipher = await vault.of(accountId);
  // The time before the id: who lists from a message's time on gets that message.
  const times = { at: clock.now(), id: newUuid() };
  const wireId = newWireId(deps.randomBytes);
  const row = newRow({ ...times, accountId, mode, sessionId, input, wireId });
  const content = { text: { body: input.text } };

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
    idempotency: sealAnswer(input, showOpenMessage(row, content), cipher),
  });

  const replay = openAnswer(accepted, cipher);
  if (replay !== undefined) return { replay };
  const refusal = refusalOf(accepted, pointerOf(input));
  if (refusal !== undefined) throw refusal;
  deps.waker.wake({ id: sessionId, mode, owner: accepted.owner ?? undefined });
  deps.onFact(accountId);
  return { message: showOpenMessage({ ...row, context_wire_id: accepted.context_wire_id }, content) };
}

function pointerOf({ sessionPointer }: SendInput): string {
  return sessionPointer ?? '/session';
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
      fields: [{ pointer: '/context/message_id', detail: 'is not a message of this session and contact' }],
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
