import type { AccountCipher } from '../../platform/crypto/vault.ts';

/** Notice channel that says "this account has new events"; the payload is its UUID. */
export const EVENTS_CHANNEL = 'pingr_events';

/** Every type of event, with what happened: the one list, for the reference and for all who choose among types. */
export const EVENT_TYPES = {
  'session.status': "A session's status changed.",
  'message.queued': 'A message was accepted for sending.',
  'message.sent': "WhatsApp's server took a message.",
  'message.delivered': "A message reached the recipient's device.",
  'message.read': 'The recipient read a message.',
  'message.played': 'The recipient played a voice message.',
  'message.failed': 'A message could not be sent.',
  'message.received': 'Somebody wrote to a session.',
  'trigger.fired': 'A trigger matched a received message.',
  'quota.warning': "80 % of the plan's messages for this period are used.",
  'quota.reached': "All of the plan's messages for this period are used.",
  'subscription.changed': "The account's plan or the state of its payment changed.",
  'invoice.paid': 'A payment for a plan arrived.',
  'invoice.refunded': 'A payment for a plan was refunded, in whole or in part.',
  'invoice.refund_failed': "A refund did not reach the payer's account.",
  'invoice.disputed': "The payer's bank disputes a payment for a plan.",
  'invoice.dispute_closed': 'A dispute of a payment ended.',
  'account.suspicious_activity': 'Something looks like misuse of the account, or by it.',
  'webhook_endpoint.disabled': 'Pingr switched a webhook endpoint off.',
} as const satisfies Record<string, string>;

export type EventType = keyof typeof EVENT_TYPES;

/** The scope that a type of event needs beside `events:read`; types that are not named need no other. */
export const SCOPE_OF_TYPE: Readonly<Partial<Record<EventType, string>>> = {
  'subscription.changed': 'billing:read',
  'invoice.paid': 'billing:read',
  'invoice.refunded': 'billing:read',
  'invoice.refund_failed': 'billing:read',
  'invoice.disputed': 'billing:read',
  'invoice.dispute_closed': 'billing:read',
  'webhook_endpoint.disabled': 'webhooks:read',
};

/** The types of events that somebody with these scopes may not see. */
export function hiddenTypes(scopes: ReadonlySet<string>): string[] {
  if (scopes.has('*')) return [];
  return Object.entries(SCOPE_OF_TYPE).flatMap(([type, scope]) => (scopes.has(scope) ? [] : [type]));
}

/** Binds what an event keeps sealed to the event. */
export function sealedDataPurpose(eventId: string): string {
  return `event:${eventId}`;
}

/**
 * Data for an event that must not stand in the clear in the database: put the result among the data of the fact. It is
 * opened when the event is shown, and its fields are then fields of the event's data.
 */
export function sealEventData(
  data: Record<string, unknown>,
  eventId: string,
  cipher: AccountCipher,
): { sealed: string } {
  const plain = Buffer.from(JSON.stringify(data), 'utf8');
  return { sealed: cipher.seal(plain, sealedDataPurpose(eventId)).toString('base64') };
}
