import { serverSeconds } from '../network/emulation.ts';
import { jidOf } from '../network/identity.ts';
import type { Phone } from '../network/phone.ts';
import { type Jid, LID_SERVER, parseJid } from '../wire/jid.ts';
import { child, children, element, type WireNode } from '../wire/node.ts';
import type { Session } from './session.ts';

/** Receipts that concern nobody but the server. */
const PRIVATE = new Set(['sender', 'peer_msg', 'hist_sync', 'server-error']);

/**
 * Takes a companion's receipt: it acknowledges messages, and their author learns of it. A retry receipt does not
 * acknowledge: the client's ack with an error follows it, and a copy sent again waits under the same id.
 */
export function routeReceipt(session: Session, receipt: WireNode): void {
  const { device, connection, emulation } = session;
  const { id, type, to } = receipt.attrs;
  emulation.counters.receiptsIn++;
  if (type !== 'retry') {
    for (const one of idsOf(receipt)) device.queue.acknowledge(`message:${one}`);
  }
  connection.send(element('ack', { class: 'receipt', id, from: to, type }));
  if (type === undefined || !PRIVATE.has(type)) passOn(session, receipt);
}

function passOn(session: Session, receipt: WireNode): void {
  const { realm, phone } = session;
  const to = parseJid(receipt.attrs['to']);
  const author = realm.resolve(to);
  if (!to || !author) return;
  const { type } = receipt.attrs;
  if (type === 'retry') return passOnRetry(session, receipt, to, author);
  const isRead = type === 'read' || type === 'played' || type === 'read-self';
  if (isRead)
    phone.deliver(forwarded(session, receipt, to, { type: 'read', recipient: jidOf(author.identity) }));
  if (author === phone || type === 'read-self') return;
  const shown = forwarded(session, receipt, to, { type: isRead ? type : undefined });
  for (const device of author.devices.values()) device.deliver(shown);
  author.deliver(shown);
}

function passOnRetry(session: Session, receipt: WireNode, to: Jid, author: Phone): void {
  const { phone, device, emulation } = session;
  const addressing = to.server === LID_SERVER ? 'lid' : 'pn';
  const { id, recipient } = receipt.attrs;
  const from = jidOf(phone.identity, addressing, device.id);
  const attributes = { from, id, type: 'retry', t: serverSeconds(emulation), recipient };
  const node = element('receipt', attributes, receipt.content);
  if (to.device === 0) author.deliver(node);
  else author.devices.get(to.device)?.deliver(node);
}

function forwarded(
  { phone, emulation }: Session,
  receipt: WireNode,
  to: Jid,
  attributes: { type: string | undefined; recipient?: string },
): WireNode {
  const from = jidOf(phone.identity, to.server === LID_SERVER ? 'lid' : 'pn');
  const { id } = receipt.attrs;
  return element('receipt', { from, id, t: serverSeconds(emulation), ...attributes }, receipt.content);
}

function idsOf(receipt: WireNode): string[] {
  const { id } = receipt.attrs;
  const listed = children(child(receipt, 'list'), 'item').flatMap((item) => item.attrs['id'] ?? []);
  return id === undefined ? listed : [id, ...listed];
}
