import { toId } from '../../lib/ids.ts';
import type { Mode } from '../../lib/mode.ts';
import { exampleId } from '../../platform/http/api-fields.ts';
import type { EventType } from '../events/events.events.ts';
import { receivedMessage, type SentMessageEvent, sentMessage } from './sample-message.ts';
import { connectedSession, disabledEndpoint, newAlert, paidInvoice } from './sample-objects.ts';

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
    session_id: sampleSubject(type).session_id,
    data: SAMPLES[type](at, mode),
    sample: true,
  };
}

/** The session and the message that a sample is about, as ids of the API. */
export function sampleSubject(type: EventType): { session_id: string | null; message_id: string | null } {
  return {
    session_id: /^(message|session|trigger)\./.test(type) ? exampleId('session') : null,
    message_id: /^(message|trigger)\./.test(type) ? exampleId('message') : null,
  };
}

/** Of the reply that a trigger wrote. */
const REPLY_ID = toId('message', '01890a5d-ac97-7d4c-9e13-5b8a3c2f6e01');

function refunded(at: Date, refund: object): object {
  return { ...paidInvoice(at, 3), refund_amount: 1_000, ...refund };
}

function disputed(status: string, at: Date): object {
  const dispute = { status, amount: 4_900, reason: 'fraudulent', opened_at: at.toISOString() };
  return { ...paidInvoice(at, 3), dispute };
}

type Sample = (at: Date, mode: Mode) => object;

const sent =
  (type: SentMessageEvent): Sample =>
  (at, mode) =>
    sentMessage(type, at, mode);

const SAMPLES: Record<EventType, Sample> = {
  'session.status': connectedSession,
  'message.received': receivedMessage,
  'message.queued': sent('message.queued'),
  'message.sent': sent('message.sent'),
  'message.delivered': sent('message.delivered'),
  'message.read': sent('message.read'),
  'message.played': sent('message.played'),
  'message.failed': sent('message.failed'),
  'trigger.fired': firedTrigger,
  'quota.warning': (at) => usedQuota('quota.warning', at),
  'quota.reached': (at) => usedQuota('quota.reached', at),
  'subscription.changed': () => ({ plan: 'growth', status: 'active', until: null, previous_plan: 'trial' }),
  'invoice.paid': (at) => paidInvoice(at, 0),
  'invoice.refunded': (at) => refunded(at, { amount_refunded: 1_000, refund_status: 'partial' }),
  'invoice.refund_failed': (at) => refunded(at, { amount_refunded: 0, refund_status: null }),
  'invoice.disputed': (at) => disputed('open', at),
  'invoice.dispute_closed': (at) => disputed('won', at),
  'account.suspicious_activity': newAlert,
  'webhook_endpoint.disabled': disabledEndpoint,
};

function usedQuota(type: 'quota.warning' | 'quota.reached', at: Date): object {
  const start = Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), 1);
  const end = Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 1);
  return {
    unit: 'messages',
    limit: 10_000,
    used: type === 'quota.reached' ? 10_000 : 8_000,
    period_start: new Date(start).toISOString(),
    period_end: new Date(end).toISOString(),
  };
}

function firedTrigger(at: Date, mode: Mode): object {
  const message = receivedMessage(at, mode);
  return {
    trigger_id: exampleId('trigger'),
    name: 'login',
    code: '482913',
    message_id: exampleId('message'),
    reply_message_id: REPLY_ID,
    reply_error: null,
    from: message.from,
    message,
  };
}
