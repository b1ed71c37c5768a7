import { toId } from '../../lib/ids.ts';
import type { AccountCipher } from '../../platform/crypto/vault.ts';
import { openContent, type StoredContent } from './message-content.ts';
import type { MessageRow } from './messages.model.ts';
import type { MessageView } from './messages.schema.ts';

/** A stored message as the API shows it. */
export function showMessage(row: MessageRow, cipher: AccountCipher): MessageView {
  return showOpenMessage(row, row.content === null ? undefined : openContent(row.content, row.id, cipher));
}

/** Same, where the content is at hand. */
export function showOpenMessage(
  row: Omit<MessageRow, 'content'>,
  content: StoredContent | undefined,
): MessageView {
  const outbound = row.direction === 'outbound';
  return {
    id: toId('message', row.id),
    session: toId('session', row.session_id),
    mode: row.mode,
    direction: row.direction,
    status: row.status,
    contact: {
      phone: row.contact_phone && `+${row.contact_phone}`,
      lid: row.contact_lid,
      name: row.contact_name,
    },
    ...(outbound
      ? { to: row.contact_phone && `+${row.contact_phone}` }
      : { from: { phone: row.contact_phone, name: row.contact_name } }),
    type: row.type,
    text: content && 'text' in content ? content.text : null,
    context: contextOf(row),
    automated: row.automated,
    trigger_id: row.trigger_id && toId('trigger', row.trigger_id),
    error:
      row.error_code === null
        ? null
        : { code: row.error_code, detail: row.error_detail, whatsapp_code: row.wire_code },
    timestamps: timesOf(row),
    whatsapp_id: row.wire_id,
    created_at: row.accepted_at.toISOString(),
  };
}

function contextOf(row: Pick<MessageRow, 'context_message_id' | 'context_wire_id'>): MessageView['context'] {
  if (row.context_wire_id === null && row.context_message_id === null) return null;
  return {
    message_id: row.context_message_id && toId('message', row.context_message_id),
    whatsapp_id: row.context_wire_id,
  };
}

/** Written on the phone itself, or on another linked device: it never waited here. */
function isFromPhone({ direction, sending_at, sent_at }: Omit<MessageRow, 'content'>): boolean {
  return direction === 'outbound' && sending_at === null && sent_at !== null;
}

/** A time for each step that the message has taken. */
function timesOf(row: Omit<MessageRow, 'content'>): MessageView['timestamps'] {
  const steps = {
    [row.direction === 'outbound' ? 'queued' : 'received']: isFromPhone(row) ? null : row.accepted_at,
    sending: row.sending_at,
    sent: row.sent_at,
    delivered: row.delivered_at,
    read: row.read_at,
    played: row.played_at,
    failed: row.failed_at,
  };
  return Object.fromEntries(
    Object.entries(steps).flatMap(([step, at]) => (at === null ? [] : [[step, at.toISOString()]])),
  );
}
