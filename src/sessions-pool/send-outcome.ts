import type { LaneMessages, QueuedMessage } from '../features/messages/lane.service.ts';
import { describeRefusal } from '../whatsapp/send-failures.ts';
import { SendError } from '../whatsapp/socket.ts';

type Progress = Parameters<LaneMessages['progress']['write']>[0];
type OutcomeNews = Extract<Progress, { kind: 'outcome' }>;

/** What became of one try, without the fence. */
export type Outcome = Omit<OutcomeNews, 'kind' | 'sessionId' | 'epoch'>;

/** Tries of one message that WhatsApp refuses for the moment, before it fails for good. */
const MAX_REFUSALS = 5;
/** Tries of one message that nothing left of; with the lane's back-off about five minutes. */
const MAX_TRIES = 25;
const REFUSED_AGAIN_MS = 30_000;

export type Failure =
  /** The message will not be sent. */
  | { kind: 'final'; outcome: Outcome }
  /** This message again after a while; others may go on. */
  | { kind: 'later'; outcome: Outcome }
  /** This message again soon, and no other before it: the connection is in trouble. */
  | { kind: 'again'; outcome: Outcome }
  /** The connection is deaf and must be replaced. */
  | { kind: 'reconnect' }
  /** The connection is gone; the next lane takes the message. */
  | { kind: 'closed' };

/** Decides what follows from a send that did not succeed. Pure. */
export function failureOf(error: unknown, message: QueuedMessage, now: Date): Failure {
  if (!(error instanceof SendError)) return notSent(message, now);
  switch (error.failure) {
    case 'not_sent':
      return notSent(message, now);
    case 'unacknowledged':
      return { kind: 'reconnect' };
    case 'closed':
      return { kind: 'closed' };
    case 'refused':
      return refusal(error.wireCode ?? 0, message, now);
  }
}

/** Nothing left, so nothing is doubled by trying again; but a message that never leaves must not hold the lane for ever. */
function notSent(message: QueuedMessage, now: Date): Failure {
  const outcome = { id: message.id, at: now };
  if (message.attempts + 1 < MAX_TRIES) return { kind: 'again', outcome: { ...outcome, status: 'queued' } };
  const errorDetail =
    'WhatsApp gave no usable answer about the recipient, again and again. Send the message anew later.';
  return {
    kind: 'final',
    outcome: { ...outcome, status: 'failed', errorCode: 'message.not_sent', errorDetail },
  };
}

function refusal(wireCode: number, message: QueuedMessage, now: Date): Failure {
  const { code, detail, remedy, retry } = describeRefusal(wireCode);
  const errorDetail = `${detail} ${remedy}`;
  const outcome = { id: message.id, at: now, errorCode: code, errorDetail, wireCode };
  if (retry && message.attempts + 1 < MAX_REFUSALS) {
    const notBefore = new Date(now.getTime() + REFUSED_AGAIN_MS * (message.attempts + 1));
    return { kind: 'later', outcome: { ...outcome, status: 'queued', notBefore } };
  }
  return { kind: 'final', outcome: { ...outcome, status: 'failed' } };
}

/** The outcome for a number that WhatsApp does not know. */
export function notOnWhatsApp(message: QueuedMessage): Omit<Outcome, 'at'> {
  return {
    id: message.id,
    status: 'failed',
    errorCode: 'message.recipient_not_on_whatsapp',
    errorDetail: `+${message.phone} is not on WhatsApp. Check the number; sending again will not help.`,
  };
}
