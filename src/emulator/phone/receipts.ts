import { serverSeconds } from '../network/emulation.ts';
import { jidOf } from '../network/identity.ts';
import type { InboxEntry, StoredMessage } from '../network/inbox.ts';
import { child, children, element, type WireNode } from '../wire/node.ts';
import { companionsOf, type PhoneContext } from './phone-context.ts';

export type ReadReceipt = 'read' | 'played';

/** Tells the author that a message reached the phone. */
export function confirmDelivery(context: PhoneContext, message: StoredMessage): void {
  sendReceipt(context, message, [message.id]);
}

/**
 * Reads inbound messages and tells their authors, in one receipt each.
 * @param ids which; all that are unread where left out.
 * @returns how many were unread.
 */
export function markRead(context: PhoneContext, ids?: string[], type: ReadReceipt = 'read'): number {
  const wanted = ids && new Set(ids);
  const unread = context.phone.inbox
    .list()
    .filter(({ message }) => message.direction === 'in' && message.readAt === undefined)
    .filter(({ message }) => !wanted || wanted.has(message.id));
  readEntries(context, unread, type);
  return unread.length;
}

/** Reads the given messages. */
export function readEntries(context: PhoneContext, entries: InboxEntry[], type: ReadReceipt = 'read'): void {
  const readAt = context.emulation.now().toISOString();
  const byAuthor = new Map<string, StoredMessage[]>();
  for (const entry of entries) {
    context.phone.inbox.update(entry, { readAt });
    const key = `${entry.message.from}/${entry.message.addressing}`;
    byAuthor.set(key, [...(byAuthor.get(key) ?? []), entry.message]);
  }
  for (const [first, ...rest] of byAuthor.values()) {
    if (first) sendReceipt(context, first, [first.id, ...rest.map(({ id }) => id)], type);
  }
}

/**
 * Takes note of a receipt: another user's device about this account's messages, or an own companion about messages
 * that it read (then `recipient` names their author).
 */
export function noteReceipt({ phone, emulation, realm }: PhoneContext, receipt: WireNode): void {
  const { id, type, recipient } = receipt.attrs;
  const at = emulation.now().toISOString();
  const author = recipient === undefined ? phone : realm.resolve(recipient);
  const ids = [id, ...children(child(receipt, 'list'), 'item').map((item) => item.attrs['id'])];
  for (const one of ids) {
    const entry = author && one !== undefined ? phone.inbox.find(author.number, one) : undefined;
    if (!entry) continue;
    const isNewlyRead = type !== undefined && entry.message.readAt === undefined;
    if (recipient === undefined && entry.message.deliveredAt === undefined) {
      phone.inbox.update(entry, { deliveredAt: at });
    }
    if (isNewlyRead) phone.inbox.update(entry, { readAt: at });
  }
}

function sendReceipt(context: PhoneContext, message: StoredMessage, ids: string[], type?: ReadReceipt): void {
  const [id, ...more] = ids;
  const author = context.realm.phone(message.from);
  const attributes = {
    from: jidOf(context.phone.identity, message.addressing),
    id,
    t: serverSeconds(context.emulation),
    type,
  };
  const items = more.map((one) => element('item', { id: one }));
  const receipt = element('receipt', attributes, items.length > 0 ? [element('list', {}, items)] : undefined);
  for (const device of companionsOf(author)) device.deliver(receipt);
  author.deliver(receipt);
}
