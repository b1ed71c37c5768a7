import type { LaneHold, LaneMessages, QueuedMessage } from '../features/messages/lane.service.ts';
import type { Pacing } from '../features/sessions/sessions.service.ts';
import { backoffDelay } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import type { WakeSignal } from '../lib/wake-signal.ts';
import type { Log } from '../platform/log/log.ts';
import { SendError, type WhatsAppIdentity, type WhatsAppSocket } from '../whatsapp/socket.ts';
import { paceNext } from './pace.ts';
import type { PoolMetrics } from './pool-metrics.ts';
import type { Recipients } from './recipients.ts';
import { failureOf, notOnWhatsApp } from './send-outcome.ts';
import { storeOutcome } from './store-outcome.ts';

export interface LaneParts {
  messages: LaneMessages;
  recipients: Recipients;
  clock: Clock;
  random: () => number;
  metrics: PoolMetrics;
  log: Log;
}

export interface Lane {
  hold: LaneHold;
  socket: WhatsAppSocket;
  /** Read before each message, so that a change applies at once. */
  pacing: () => Pacing;
  linkedAt: () => Date | null;
  wake: WakeSignal;
  /** Aborted when the socket or the lease is gone. */
  signal: AbortSignal;
  /** Called when the connection must be replaced: an ack did not come. */
  onStalled: () => void;
}

/** Most messages that may wait for WhatsApp's ack at once. */
const WINDOW = 16;
/** After this long without ack the message shows as `sending`. */
const SHOW_SENDING_AFTER_MS = 250;
const RETRY = { baseMs: 500, maxMs: 15_000 };

/** A lane at work: its parts, what it serves, and how far it is. */
interface Run extends LaneParts, Lane {
  inFlight: Map<string, Promise<void>>;
  lastSentAt: Date | undefined;
  /** Failures in a row that were not a message's own fault. */
  troubles: number;
  /** Nothing is sent before, in milliseconds since the epoch. */
  retryAt: number;
}

/**
 * Sends a session's queued messages in the order accepted until the signal aborts. The rows are the queue: what is
 * in flight when the lane ends is taken again by the next one, under the same WhatsApp id.
 */
export async function runLane(parts: LaneParts, lane: Lane): Promise<void> {
  const run: Run = { ...parts, ...lane, inFlight: new Map(), lastSentAt: undefined, troubles: 0, retryAt: 0 };
  const { messages, inFlight, hold, wake, signal, log } = run;
  while (!signal.aborted) {
    try {
      const batch = await messages.take(hold, [...inFlight.keys()], WINDOW);
      const isThrough = await sendBatch(run, batch);
      // A batch that is not full was all there was, and what was accepted since has raised the signal.
      if (isThrough && batch.length < WINDOW) await wake.wait(signal);
    } catch (error) {
      if (signal.aborted) break;
      log.warn({ err: error, session: hold.sessionId }, 'lane: could not go on, trying again');
      await pause(run, backoffDelay(++run.troubles, RETRY, run.random));
    }
  }
  await Promise.all(inFlight.values());
}

/** @returns false when messages of the batch are left, which must be taken again. */
async function sendBatch(run: Run, batch: readonly QueuedMessage[]): Promise<boolean> {
  const { clock, inFlight, hold, socket, signal } = run;
  for (const message of batch) {
    const pace = nextPace(run, message);
    await pauseUntil(run, pace.typeAt);
    while (inFlight.size >= WINDOW) await Promise.race(inFlight.values());
    if (signal.aborted) return false;
    if (isInTrouble(run)) {
      await sitOut(run);
      return false;
    }

    const to = await run.recipients.resolve(hold, socket, message);
    if (to === null) {
      await storeOutcome(run, { ...notOnWhatsApp(message), at: clock.now() });
      run.metrics.sendEnded('failed');
      continue;
    }
    if (run.pacing().typing) await socket.setTyping(to, true).catch(() => undefined);
    await pauseUntil(run, pace.sendAt);
    // What went before may have run into trouble meanwhile.
    if (signal.aborted || isInTrouble(run)) return false;
    run.lastSentAt = clock.now();
    const sending = sendOne(run, message, to)
      .catch((error: unknown) =>
        run.log.warn({ err: error, messageId: message.id }, 'outcome of a send not stored'),
      )
      .finally(() => inFlight.delete(message.id));
    inFlight.set(message.id, sending);
  }
  return true;
}

/** Instants, in milliseconds since the epoch: what is asked of WhatsApp meanwhile does not add to the interval. */
function nextPace(run: Run, { content }: QueuedMessage): { typeAt: number; sendAt: number } {
  const now = run.clock.now();
  const state = { lastSentAt: run.lastSentAt, linkedAt: run.linkedAt(), length: content.body.length };
  const { typeIn, sendIn } = paceNext(run.pacing(), state, now, run.random);
  return { typeAt: now.getTime() + typeIn, sendAt: now.getTime() + sendIn };
}

function isInTrouble({ retryAt, clock }: Run): boolean {
  return retryAt > clock.now().getTime();
}

/** Waits until the message that is in trouble can be taken again: it comes first, so that the order stays. */
async function sitOut(run: Run): Promise<void> {
  await Promise.all(run.inFlight.values());
  await pauseUntil(run, run.retryAt);
}

async function sendOne(run: Run, message: QueuedMessage, to: WhatsAppIdentity): Promise<void> {
  const { clock, metrics } = run;
  const { id, wireId, content, quoted } = message;
  const sendingAt = clock.now();
  const slow = setTimeout(() => {
    void storeOutcome(run, { id, status: 'sending', at: sendingAt }).catch(() => undefined);
  }, SHOW_SENDING_AFTER_MS);
  try {
    await run.socket.send({ wireId, to, content, ...(quoted && { quoted }) });
  } catch (error) {
    return handleFailure(run, message, error);
  } finally {
    clearTimeout(slow);
  }
  run.troubles = 0;
  const at = clock.now();
  metrics.sendEnded('sent');
  metrics.laneLag(sendingAt.getTime() - message.acceptedAt.getTime());
  metrics.sendTook(at.getTime() - sendingAt.getTime());
  await storeOutcome(run, { id, status: 'sent', sendingAt, at, lid: to.lid });
}

async function handleFailure(run: Run, message: QueuedMessage, error: unknown): Promise<void> {
  const { clock, log, signal } = run;
  if (signal.aborted) return;
  const failure = failureOf(error, message, clock.now());
  run.metrics.sendEnded(failure.kind === 'final' ? 'failed' : failure.kind);
  if (!(error instanceof SendError))
    log.error({ err: error, messageId: message.id }, 'send broke in an unknown way');
  switch (failure.kind) {
    case 'final':
    case 'later':
      return storeOutcome(run, failure.outcome);
    case 'again':
      run.retryAt = clock.now().getTime() + backoffDelay(++run.troubles, RETRY, run.random);
      await storeOutcome(run, failure.outcome);
      run.wake.raise();
      return;
    case 'reconnect':
      run.onStalled();
      return;
    case 'closed':
      return;
  }
}

function pauseUntil(run: Run, at: number): Promise<void> {
  return pause(run, at - run.clock.now().getTime());
}

async function pause({ clock, signal }: Run, ms: number): Promise<void> {
  if (ms > 0) await clock.sleep(ms, signal).catch(() => undefined);
}
