import type { LaneHold, LaneMessages, QueuedMessage } from '../features/messages/lane.service.ts';
import type { Pacing } from '../features/sessions/sessions.service.ts';
import { backoffDelay } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import type { WakeSignal } from '../lib/wake-signal.ts';
import type { Log } from '../platform/log/log.ts';
import { SendError, type WhatsAppSocket } from '../whatsapp/socket.ts';
import { paceDelay } from './pace.ts';
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

/**
 * Sends a session's queued messages in the order accepted until the signal aborts. The rows are the queue: what is
 * in flight when the lane ends is taken again by the next one, under the same WhatsApp id.
 */
export async function runLane(parts: LaneParts, lane: Lane): Promise<void> {
  const { messages, clock, log } = parts;
  const inFlight = new Map<string, Promise<void>>();
  const state: LaneState = { inFlight, lastSentAt: undefined, troubles: 0, retryAt: 0 };

  while (!lane.signal.aborted) {
    try {
      const batch = await messages.take(lane.hold, [...inFlight.keys()], WINDOW);
      if (batch.length === 0) await lane.wake.wait(lane.signal);
      else await sendBatch(parts, lane, state, batch);
    } catch (error) {
      if (lane.signal.aborted) break;
      log.warn({ err: error, session: lane.hold.sessionId }, 'lane: could not go on, trying again');
      await pause(clock, backoffDelay(++state.troubles, RETRY, parts.random), lane.signal);
    }
  }
  await Promise.allSettled(inFlight.values());
}

interface LaneState {
  inFlight: Map<string, Promise<void>>;
  lastSentAt: Date | undefined;
  /** Failures in a row that were not a message's own fault. */
  troubles: number;
  retryAt: number;
}

async function sendBatch(parts: LaneParts, lane: Lane, state: LaneState, batch: readonly QueuedMessage[]): Promise<void> {
  const { clock, random } = parts;
  for (const message of batch) {
    await pause(clock, paceDelay(lane.pacing(), { ...state, linkedAt: lane.linkedAt() }, clock.now(), random), lane.signal);
    while (state.inFlight.size >= WINDOW) await Promise.race(state.inFlight.values());
    if (lane.signal.aborted) return;
    const trouble = state.retryAt - clock.now().getTime();
    if (trouble > 0) return pause(clock, trouble, lane.signal);

    const to = await parts.recipients.resolve(lane.hold, lane.socket, message);
    if (to === null) {
      await storeOutcome(parts, lane, { ...notOnWhatsApp(message), at: clock.now() });
      parts.metrics.sendEnded('failed');
      continue;
    }
    if (lane.pacing().typing) await lane.socket.setTyping(to, true).catch(() => undefined);
    state.lastSentAt = clock.now();
    const sending = sendOne(parts, lane, state, message, to).finally(() => state.inFlight.delete(message.id));
    state.inFlight.set(message.id, sending);
  }
}

async function sendOne(
  parts: LaneParts,
  lane: Lane,
  state: LaneState,
  message: QueuedMessage,
  to: Parameters<WhatsAppSocket['setTyping']>[0],
): Promise<void> {
  const { clock, metrics } = parts;
  const startedAt = clock.now();
  const slow = setTimeout(() => {
    void storeOutcome(parts, lane, { id: message.id, status: 'sending', at: startedAt }).catch(() => undefined);
  }, SHOW_SENDING_AFTER_MS);
  try {
    const { wireId, content, quoted } = message;
    const { sentAt } = await lane.socket.send({ wireId, to, content, ...(quoted && { quoted }) });
    clearTimeout(slow);
    state.troubles = 0;
    metrics.sendEnded('sent');
    metrics.laneLag(clock.now().getTime() - message.acceptedAt.getTime());
    await storeOutcome(parts, lane, { id: message.id, status: 'sent', at: sentAt, lid: to.lid });
  } catch (error) {
    clearTimeout(slow);
    await handleFailure(parts, lane, state, message, error);
  }
}

async function handleFailure(
  parts: LaneParts,
  lane: Lane,
  state: LaneState,
  message: QueuedMessage,
  error: unknown,
): Promise<void> {
  const { clock, metrics, random, log } = parts;
  const failure = failureOf(error, message, clock.now());
  metrics.sendEnded(failure.kind === 'final' ? 'failed' : failure.kind);
  if (!(error instanceof SendError)) log.error({ err: error, message: message.id }, 'send broke in an unknown way');
  switch (failure.kind) {
    case 'final':
    case 'later':
      return storeOutcome(parts, lane, failure.outcome);
    case 'again':
      // The connection, not the message, is in trouble: hold the lane, so that the order stays.
      state.retryAt = clock.now().getTime() + backoffDelay(++state.troubles, RETRY, random);
      lane.wake.raise();
      return;
    case 'reconnect':
      lane.onStalled();
      return;
    case 'closed':
      return;
  }
}

async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await clock.sleep(ms, signal).catch(() => undefined);
}
