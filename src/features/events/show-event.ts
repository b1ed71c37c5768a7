import { toId } from '../../lib/ids.ts';
import type { EventRow } from './events.model.ts';

/** What events need of a message as the API shows it. */
export interface ShownMessage {
  id: string;
  /** Of a received message. */
  from?: { phone: string | null; name: string | null } | undefined;
  status: string;
  error: { code: string; detail: string | null; whatsapp_code: number | null } | null;
  timestamps: Partial<Record<string, string>>;
}

/** An event as the API shows it. */
export interface EventView {
  id: string;
  type: string;
  created_at: string;
  mode: EventRow['mode'];
  session_id: string | null;
  data: object;
}

/** @param data what the event is about */
export function showEvent(row: EventRow, data: object): EventView {
  return {
    id: toId('event', row.id),
    type: row.type,
    created_at: row.created_at.toISOString(),
    mode: row.mode,
    session_id: row.session_id && toId('session', row.session_id),
    data,
  };
}

/**
 * The data of an event about a message.
 * @param messageId UUID
 * @param message as it is now; `undefined` once it is gone
 */
export function showMessageData(
  { type, data }: Pick<EventRow, 'type' | 'data'>,
  messageId: string,
  message: ShownMessage | undefined,
): object {
  return type === 'trigger.fired'
    ? firedTrigger(messageId, data, message)
    : asItWas(messageId, data, message);
}

/** A trigger fired by a message, which is shown as it is. Who wrote it is known for as long as the message is kept. */
function firedTrigger(
  messageId: string,
  data: Record<string, unknown>,
  message: ShownMessage | undefined,
): object {
  const triggerId = text(data['trigger_id']);
  const replyId = text(data['reply_message_id']);
  return {
    trigger_id: triggerId === undefined ? null : toId('trigger', triggerId),
    name: text(data['name']) ?? null,
    code: text(data['code']) ?? null,
    message_id: toId('message', messageId),
    reply_message_id: replyId === undefined ? null : toId('message', replyId),
    reply_error: data['reply_error'] ?? null,
    from: message?.from ?? null,
    message: message ?? null,
  };
}

/** The first steps, which every later state of a message still has. */
const FIRST_STEPS = new Set(['queued', 'received']);

/** Puts what the event remembers over the message as it is now: its status, error and times at that moment. */
function asItWas(
  messageId: string,
  data: Record<string, unknown>,
  message: ShownMessage | undefined,
): object {
  const status = text(data['status']) ?? message?.status ?? 'queued';
  const code = text(data['error_code']);
  const steps = Object.entries(data).flatMap(([name, value]) => {
    const at = text(value);
    return name.endsWith('_at') && at !== undefined ? [[name.slice(0, -3), new Date(at).toISOString()]] : [];
  });
  const current = Object.entries(message?.timestamps ?? {});
  const first = current.filter(([step]) => FIRST_STEPS.has(step) || step === status);
  return {
    ...(message ?? { id: toId('message', messageId) }),
    status,
    error:
      code === undefined
        ? null
        : {
            code,
            detail: text(data['error_detail']) ?? null,
            whatsapp_code: number(data['wire_code']) ?? null,
          },
    timestamps: { ...Object.fromEntries(first), ...Object.fromEntries(steps) },
  };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
