import { jidOf } from '../network/identity.ts';
import type { Phone } from '../network/phone.ts';
import { LID_SERVER, parseJid } from '../wire/jid.ts';
import { element, type WireNode } from '../wire/node.ts';
import type { Session } from './session.ts';

/** Takes note of a companion's presence, or shows it somebody else's. */
export function routePresence({ realm, phone, device }: Session, { attrs }: WireNode): void {
  if (attrs['type'] === 'subscribe') {
    const watched = realm.resolve(attrs['to']);
    watched?.presenceSubscribers.add(device);
    if (watched) device.deliverOnce(presenceOf(watched));
  } else if (attrs['type'] !== undefined) {
    device.available = attrs['type'] === 'available';
    announcePresence(phone);
  }
}

/** Tells those who subscribed how a number is now. */
export function announcePresence(phone: Phone): void {
  const presence = presenceOf(phone);
  for (const subscriber of phone.presenceSubscribers) subscriber.deliverOnce(presence);
}

/** Passes "typing…" on to the devices of whom it is for. */
export function routeChatState({ realm, phone }: Session, { attrs, content }: WireNode): void {
  const to = parseJid(attrs['to']);
  const addressing = to?.server === LID_SERVER ? 'lid' : 'pn';
  const state = element('chatstate', { from: jidOf(phone.identity, addressing) }, content);
  for (const device of realm.resolve(to)?.devices.values() ?? []) device.deliverOnce(state);
}

function presenceOf(phone: Phone): WireNode {
  const isAvailable = phone.record.online || [...phone.devices.values()].some(({ available }) => available);
  return element('presence', {
    from: jidOf(phone.identity),
    ...(isAvailable ? { type: 'available' } : { type: 'unavailable', last: 'deny' }),
  });
}
