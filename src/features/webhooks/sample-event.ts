import { toId } from '../../lib/ids.ts';
import type { Mode } from '../../lib/mode.ts';
import { exampleId } from '../../platform/http/api-fields.ts';
import type { EventType } from '../events/events.events.ts';
import { receivedMessage, sentMessage } from './sample-message.ts';

/** Which sample, for whom. */
export interface SampleInput {
  /** UUID of the event that never was. */
  eventId: string;
  type: EventType;
  at: Date;
  mode: Mode;
  /** UUID. */
  accountId: string;
}

/** What is sent for a sample: like any event, and marked by `sample`. */
export interface SamplePayload {
  id: string;
  type: EventType;
  created_at: string;
  mode: Mode;
  account_id: string;
  session_id: string | null;
  data: object;
  sample: true;
}

/**
 * An event such as a receiver will get, about a session and a message that do not exist. The same input gives the
 * same payload, so that a retry sends what was sent before.
 */
export function samplePayload({ eventId, type, at, mode, accountId }: SampleInput): SamplePayload {
  return {
    id: toId('event', eventId),
    type,
    created_at: at.toISOString(),
    mode,
    account_id: toId('account', accountId),
    session_id: /^(message|session|trigger)\./.test(type) ? exampleId('session') : null,
    data: sampleData(type, at, mode),
    sample: true,
  };
}

function sampleData(type: EventType, at: Date, mode: Mode): object {
  switch (type) {
    case 'session.status':
      return {
        id: exampleId('session'),
        status: 'connected',
        phone: '+919876500000',
        code: null,
        detail: null,
      };
    case 'message.received':
      return receivedMessage(at, mode);
    case 'message.queued':
    case 'message.sent':
    case 'message.delivered':
    case 'message.read':
    case 'message.played':
    case 'message.failed':
      return sentMessage(type, at, mode);
    case 'trigger.fired':
      return firedTrigger(at, mode);
    case 'webhook_endpoint.disabled':
      return {
        id: exampleId('webhookEndpoint'),
        url: 'https://example.com/webhooks/pingr',
        reason: 'failing',
      };
  }
}

function firedTrigger(at: Date, mode: Mode): object {
  const message = receivedMessage(at, mode);
  return {
    trigger_id: exampleId('trigger'),
    name: 'login',
    code: '482913',
    message_id: exampleId('message'),
    reply_message_id: null,
    reply_error: null,
    from: message.from,
    message,
  };
}
