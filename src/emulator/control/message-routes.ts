import { z } from 'zod';
import type { InboxEntry } from '../network/inbox.ts';
import { emulatorErrors } from '../server/emulator.errors.ts';
import { addressedPhone, digitsOf } from './addressed-phone.ts';
import type { ControlContext, ControlReply, ControlRequest, ControlRoute } from './control-context.ts';

const PHONE = '/v1/realms/:realm/phones/:phone';

const outgoing = z.strictObject({
  to: z.string(),
  text: z.strictObject({ body: z.string().min(1).max(65_536) }),
  quoted_id: z.string().min(1).optional(),
  /** Writes the same text so often, each time as a message of its own. */
  count: z.int().min(1).max(10_000).default(1),
  /** How the phone names itself: by number or by LID. */
  addressing: z.enum(['pn', 'lid']).default('pn'),
});
const page = z.object({
  /** `next_cursor` of the page before, or the id of a message. */
  after: z.string().min(1).optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});
const reading = z.strictObject({
  message_ids: z.array(z.string().min(1)).optional(),
  type: z.enum(['read', 'played']).default('read'),
});

/** Calls about what a phone has received, and what its user does. */
export const messageRoutes: ControlRoute[] = [
  { method: 'GET', path: `${PHONE}/messages`, handle: listMessages },
  { method: 'POST', path: `${PHONE}/messages`, handle: writeMessages },
  {
    method: 'POST',
    path: `${PHONE}/read`,
    handle: (context, request) => {
      const { message_ids, type } = reading.parse(request.body);
      const { realm, phone } = addressedPhone(context, request);
      if (!phone.record.online) throw emulatorErrors.phoneOffline();
      return { status: 200, body: { read: context.clients.of(realm, phone).markRead(message_ids, type) } };
    },
  },
];

function listMessages(context: ControlContext, request: ControlRequest): ControlReply {
  const { after, limit } = page.parse(Object.fromEntries(request.query));
  const all = addressedPhone(context, request).phone.inbox.list();
  const start = after === undefined ? 0 : positionAfter(all, after);
  const data = all.slice(start, start + limit);
  const last = data.at(-1);
  const hasMore = start + limit < all.length;
  return {
    status: 200,
    body: { data: data.map(view), has_more: hasMore, next_cursor: last ? String(last.sequence) : null },
  };
}

function positionAfter(entries: InboxEntry[], after: string): number {
  const isCursor = /^\d+$/.test(after);
  const at = isCursor
    ? entries.findLastIndex(({ sequence }) => sequence <= Number(after))
    : entries.findIndex(({ message }) => message.id === after);
  if (at < 0 && !isCursor) {
    throw emulatorErrors.invalid({ fields: [{ pointer: '?after', detail: 'is no message of this phone' }] });
  }
  return at + 1;
}

async function writeMessages(context: ControlContext, request: ControlRequest): Promise<ControlReply> {
  const { to, text, quoted_id: quotedId, count, addressing } = outgoing.parse(request.body);
  const number = digitsOf(to, '/to');
  const { realm, phone } = addressedPhone(context, request);
  if (!phone.record.online) throw emulatorErrors.phoneOffline();
  const client = context.clients.of(realm, phone);
  const message = { to: number, body: text.body, quotedId, addressing };
  const ids = await Promise.all(Array.from({ length: count }, () => client.sendText(message)));
  return { status: 201, body: { id: ids[0], ids } };
}

function view({ message }: InboxEntry) {
  return {
    id: message.id,
    from: `+${message.from}`,
    to: `+${message.to}`,
    direction: message.direction,
    kind: message.kind,
    text: message.text,
    received_at: message.receivedAt,
    delivered_at: message.deliveredAt,
    read_at: message.readAt,
    quoted_id: message.quotedId,
    quoted_from: message.quotedFrom && `+${message.quotedFrom}`,
    quoted_text: message.quotedText,
    type: message.encryption,
    duplicates: message.duplicates,
    from_device: message.fromDevice,
    addressing: message.addressing,
  };
}
