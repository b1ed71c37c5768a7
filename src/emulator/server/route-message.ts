import { deliverMessage } from '../network/deliver-message.ts';
import { serverSeconds } from '../network/emulation.ts';
import { jidOf } from '../network/identity.ts';
import type { Phone } from '../network/phone.ts';
import { formatJid, type Jid, LID_SERVER, parseJid } from '../wire/jid.ts';
import { child, children, element, type WireNode } from '../wire/node.ts';
import type { Session } from './session.ts';

/** Refused: malformed, above all without any ciphertext. */
const MALFORMED = 479;
const NOT_FOUND = 404;

/** One device's ciphertext. */
interface Copy {
  to: Jid;
  enc: WireNode[];
}

/** Passes a companion's message on to the devices it is encrypted for, and acknowledges it or refuses it. */
export function routeMessage(session: Session, stanza: WireNode): void {
  const { emulation, connection } = session;
  const { faults, counters, timers } = emulation;
  const copies = copiesOf(stanza);
  const error = refusalOf(session, stanza, copies);
  if (error === undefined) {
    counters.messagesIn++;
    for (const copy of copies) passOn(session, stanza, copy);
  } else counters.nacks++;
  const { id, to } = stanza.attrs;
  const ack = element('ack', { class: 'message', id, from: to, t: serverSeconds(emulation), error });
  if (faults.strike('drop_ack', connection.target)) return;
  const delayed = faults.strike('delay_acks', connection.target);
  if (delayed) timers.after(delayed.ms, () => connection.send(ack));
  else connection.send(ack);
}

function copiesOf(stanza: WireNode): Copy[] {
  const listed = children(child(stanza, 'participants'), 'to');
  // A message for one device only (a retry, or one to the own phone) carries its ciphertext itself.
  const addressed = listed.length > 0 ? listed : [stanza];
  return addressed.flatMap((holder) => {
    const to = parseJid(holder.attrs['jid'] ?? holder.attrs['to']);
    const enc = children(holder, 'enc');
    return to && enc.length > 0 ? [{ to, enc }] : [];
  });
}

function refusalOf(session: Session, stanza: WireNode, copies: Copy[]): number | undefined {
  const { emulation, realm, connection } = session;
  const ordered = emulation.faults.strike('nack', connection.target);
  if (ordered) return ordered.code;
  if (copies.length === 0) {
    emulation.counters.emptyMessages++;
    return MALFORMED;
  }
  const target = realm.resolve(stanza.attrs['to']);
  if (!target?.record.behavior.on_whatsapp) return NOT_FOUND;
  return behaviorNack(target);
}

function behaviorNack(target: Phone): number | undefined {
  const { nack } = target.record.behavior;
  if (!nack) return undefined;
  const left = nack.times - 1;
  target.record.behavior.nack = left > 0 ? { ...nack, times: left } : null;
  target.save();
  return nack.code;
}

function passOn(session: Session, stanza: WireNode, copy: Copy): void {
  const { to } = copy;
  const { realm, phone } = session;
  const target = realm.resolve(to);
  const partner = realm.resolve(stanza.attrs['recipient'] ?? stanza.attrs['to']);
  if (!target || (target !== phone && target !== partner)) return;
  const node = copyNode(session, stanza, target, copy);
  if (to.device === 0) return target.deliver(node);
  const device = target.devices.get(to.device);
  if (device && device !== session.device) deliverMessage(session.emulation, device, node);
}

function copyNode(session: Session, stanza: WireNode, target: Phone, { to, enc }: Copy): WireNode {
  const { emulation, phone, device } = session;
  const { id, type, category, edit, recipient } = stanza.attrs;
  const addressing = to.server === LID_SERVER ? 'lid' : 'pn';
  const attributes = {
    from: jidOf(phone.identity, addressing, device.id),
    id,
    t: serverSeconds(emulation),
    type,
    notify: phone.record.name,
    category,
    edit,
    ...(target === phone ? ownNaming(stanza, recipient) : foreignNaming(phone, addressing)),
  };
  const isFirst = enc.some((one) => one.attrs['type'] === 'pkmsg');
  const identity = isFirst ? child(stanza, 'device-identity') : undefined;
  return element('message', attributes, identity ? [...enc, identity] : enc);
}

/** A copy for the own account names the conversation, unless it is for the phone itself. */
function ownNaming({ attrs }: WireNode, recipient: string | undefined): { recipient?: string } {
  const jid = parseJid(recipient ?? attrs['to']);
  return jid && attrs['category'] !== 'peer' ? { recipient: formatJid(jid.user, jid.server) } : {};
}

function foreignNaming({ identity }: Phone, addressing: 'pn' | 'lid'): Record<string, string> {
  return addressing === 'lid'
    ? { addressing_mode: 'lid', sender_pn: jidOf(identity) }
    : { sender_lid: jidOf(identity, 'lid') };
}
