import type { Mode } from '../../lib/mode.ts';
import { exampleId } from '../../platform/http/api-fields.ts';

const NAME = 'Asha';
const DIGITS = '919876543210';

/** Steps of a sent message with the milliseconds after which a sample takes them. */
const STEPS = {
  'message.queued': { queued: 0 },
  'message.sent': { queued: 0, sending: 40, sent: 220 },
  'message.delivered': { queued: 0, sending: 40, sent: 220, delivered: 900 },
  'message.read': { queued: 0, sending: 40, sent: 220, delivered: 900, read: 4_000 },
  'message.played': { queued: 0, sending: 40, sent: 220, delivered: 900, read: 4_000, played: 6_000 },
  'message.failed': { queued: 0, sending: 40, failed: 300 },
};

export type SentMessageEvent = keyof typeof STEPS;

/** A message from a customer that does not exist, as the API shows messages. @param at when it came in */
export function receivedMessage(at: Date, mode: Mode) {
  return {
    ...common(mode),
    direction: 'inbound',
    status: 'received',
    from: { phone: DIGITS, name: NAME },
    text: { body: 'login' },
    error: null,
    timestamps: { received: at.toISOString(), sent: at.toISOString() },
    created_at: at.toISOString(),
  };
}

/** A message to that customer at the moment of one of its events. @param at when that was */
export function sentMessage(type: SentMessageEvent, at: Date, mode: Mode): object {
  const steps = Object.entries(STEPS[type]);
  const last = Math.max(...steps.map(([, ms]) => ms));
  const timeOf = (ms: number) => new Date(at.getTime() - last + ms).toISOString();
  return {
    ...common(mode),
    direction: 'outbound',
    status: type.slice('message.'.length),
    to: `+${DIGITS}`,
    text: { body: 'Your order has shipped.' },
    error:
      type === 'message.failed'
        ? {
            code: 'message.recipient_not_on_whatsapp',
            detail: 'The recipient is not on WhatsApp.',
            whatsapp_code: null,
          }
        : null,
    timestamps: Object.fromEntries(steps.map(([step, ms]) => [step, timeOf(ms)])),
    created_at: timeOf(0),
  };
}

function common(mode: Mode) {
  return {
    id: exampleId('message'),
    session: exampleId('session'),
    mode,
    contact: { phone: `+${DIGITS}`, lid: '182731923847561', name: NAME },
    type: 'text',
    context: null,
    automated: false,
    trigger_id: null,
    whatsapp_id: '3EB0A1B2C3D4E5F6071829',
  };
}
