import { serverSeconds } from '../../network/emulation.ts';
import { jidOf } from '../../network/identity.ts';
import type { Phone } from '../../network/phone.ts';
import { formatJid, LID_SERVER, PHONE_SERVER, parseJid } from '../../wire/jid.ts';
import { child, children, element, textOf, type WireNode } from '../../wire/node.ts';
import type { Session } from '../session.ts';
import type { IqAnswer } from './iq-answer.ts';

/** Answers a query about users: who is on WhatsApp, under which LID, with which devices. */
export function answerUsync(session: Session, iq: WireNode): IqAnswer {
  const target = { realm: session.realm.id, phone: session.phone.number, device: session.device.id };
  if (session.emulation.faults.strike('drop_query', target, ({ query }) => query === 'usync'))
    return 'silence';
  const usync = child(iq, 'usync');
  const protocols = children(child(usync, 'query')).map(({ tag }) => tag);
  const users = children(child(usync, 'list'), 'user').map((user) => answerUser(session, protocols, user));
  const results = protocols.map((protocol) => element(protocol));
  const { sid, mode, context } = usync?.attrs ?? {};
  return [
    element('usync', { sid, mode, context, last: 'true', index: 0 }, [
      element('result', {}, results),
      element('list', {}, users),
    ]),
  ];
}

function answerUser(session: Session, protocols: string[], user: WireNode): WireNode {
  const asked = textOf(child(user, 'contact'));
  const number = asked?.replace(/\D/g, '');
  const jid = parseJid(user.attrs['jid'] ?? (number && formatJid(number, PHONE_SERVER)));
  const phone = session.realm.resolve(jid);
  if (!jid || !phone) return element('user', {}, [element('contact', { type: 'invalid' }, asked)]);
  const isKnown = phone.record.behavior.on_whatsapp;
  const answers = protocols.flatMap((protocol) => {
    if (protocol === 'contact') return element('contact', { type: isKnown ? 'in' : 'out' }, asked);
    // Who asks by LID is not told it: clients refuse a pair of two LIDs.
    if (!isKnown || (protocol === 'lid' && jid.server === LID_SERVER)) return [];
    return answerProtocol(session, protocol, phone) ?? [];
  });
  return element('user', { jid: formatJid(jid.user, jid.server) }, answers);
}

function answerProtocol(
  { emulation, device }: Session,
  protocol: string,
  phone: Phone,
): WireNode | undefined {
  switch (protocol) {
    case 'devices':
      phone.watch(device);
      return deviceList(phone, serverSeconds(emulation));
    case 'lid':
      return element('lid', { val: jidOf(phone.identity, 'lid') });
    case 'status':
      return element('status', { t: serverSeconds(emulation) });
    case 'disappearing_mode':
      return element('disappearing_mode', { duration: 0, t: 0 });
    default:
      return undefined;
  }
}

function deviceList(phone: Phone, now: string): WireNode {
  const companions = [...phone.devices.values()].map(({ record }) =>
    element('device', { id: record.id, 'key-index': record.keyIndex }),
  );
  return element('devices', {}, [
    element('device-list', { hash: `2:${companions.length}` }, [element('device', { id: 0 }), ...companions]),
    element('key-index-list', { ts: now }),
  ]);
}
