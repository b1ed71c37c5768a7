import type { Mode } from '../../lib/mode.ts';

export const MESSAGE_STATUSES = [
  'queued',
  'sending',
  'sent',
  'delivered',
  'read',
  'played',
  'failed',
  'received',
] as const;

/** Outbound: `queued → sending → sent → delivered → read → played`, or `failed`. Inbound: `received`. */
export type MessageStatus = (typeof MESSAGE_STATUSES)[number];

export type Direction = 'outbound' | 'inbound';

/** A message as stored. Ids are UUIDs, phones digits without `+`, `content` sealed. */
export interface MessageRow {
  id: string;
  account_id: string;
  mode: Mode;
  session_id: string;
  direction: Direction;
  contact_phone: string | null;
  contact_lid: string | null;
  contact_name: string | null;
  type: string;
  content: Buffer | null;
  context_message_id: string | null;
  context_wire_id: string | null;
  wire_id: string;
  status: MessageStatus;
  /** A trigger wrote it, and which. */
  automated: boolean;
  trigger_id: string | null;
  error_code: string | null;
  error_detail: string | null;
  wire_code: number | null;
  attempts: number;
  /** When Pingr took it from the caller, or from WhatsApp; agrees with the id. */
  accepted_at: Date;
  sending_at: Date | null;
  /** When WhatsApp's server took it, from us or from the contact. */
  sent_at: Date | null;
  delivered_at: Date | null;
  read_at: Date | null;
  played_at: Date | null;
  failed_at: Date | null;
}

/** Binds sealed content to its message, so that one row's content cannot be put into another. */
export function contentPurpose(messageId: string): string {
  return `message:${messageId}`;
}

/** WhatsApp's id of a message sent from a linked device: `3EB0` and 18 upper-case hex digits, as WhatsApp Web makes them. */
export function newWireId(randomBytes: (size: number) => Uint8Array): string {
  return `3EB0${Buffer.from(randomBytes(9)).toString('hex').toUpperCase()}`;
}
