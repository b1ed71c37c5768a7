import { toId } from '../../lib/ids.ts';
import type { Mode } from '../../lib/mode.ts';
import { exampleId } from '../../platform/http/api-fields.ts';
import type { EventType } from '../events/events.events.ts';
import { receivedMessage, type SentMessageEvent, sentMessage } from './sample-message.ts';

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

const INVOICE = {
  id: exampleId('invoice'),
  number: 'INV-0001',
  amount: 4900,
  currency: 'USD',
  plan: 'growth',
};

function disputed(status: string, at: Date): object {
  const dispute = { status, amount: 4900, reason: 'fraudulent', opened_at: at.toISOString() };
  return { ...INVOICE, dispute };
}

type Sample = (at: Date, mode: Mode) => object;

const sent =
  (type: SentMessageEvent): Sample =>
  (at, mode) =>
    sentMessage(type, at, mode);

const SAMPLES: Record<EventType, Sample> = {
  'session.status': () => ({
    id: exampleId('session'),
    status: 'connected',
    phone: '+919876500000',
    code: null,
    detail: null,
  }),
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
  'subscription.changed': () => ({ plan: 'growth', status: 'active' }),
  'invoice.paid': () => INVOICE,
  'invoice.refunded': () => ({
    ...INVOICE,
    refund_amount: 1_000,
    amount_refunded: 1_000,
    refund_status: 'partial',
  }),
  'invoice.refund_failed': () => ({
    ...INVOICE,
    refund_amount: 1_000,
    amount_refunded: 0,
    refund_status: null,
  }),
  'invoice.disputed': (at) => disputed('open', at),
  'invoice.dispute_closed': (at) => disputed('won', at),
  'account.suspicious_activity': () => ({
    kind: 'new_country',
    detail: { address: '203.0.113.7', country: 'BR', known_countries: ['IN'] },
  }),
  'webhook_endpoint.disabled': () => ({
    id: exampleId('webhookEndpoint'),
    url: 'https://example.com/webhooks/pingr',
    reason: 'failing',
  }),
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
