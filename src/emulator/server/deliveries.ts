import { SERVER } from '../wire/jid.ts';
import { element } from '../wire/node.ts';
import { type Session } from './session.ts';

/**
 * Starts deliveries: first what waited, in order, then the mark that it is all there, which clients need at every
 * login, then what a new companion waits for.
 */
export function startDeliveries({ device, connection, clients, realm, phone, emulation }: Session): void {
  const waiting = device.queue.waiting();
  device.active = true;
  const count = waiting.length;
  const ofKind = (tag: string) => waiting.filter(({ node }) => node.tag === tag).length;
  const preview = {
    count,
    message: ofKind('message'),
    receipt: ofKind('receipt'),
    notification: ofKind('notification'),
    appdata: 0,
  };
  if (count > 0) connection.send(element('ib', { from: SERVER }, [element('offline_preview', preview)]));
  waiting.forEach(({ node }, at) => {
    connection.send({ ...node, attrs: { ...node.attrs, offline: String(at) } });
  });
  connection.send(element('ib', { from: SERVER }, [element('offline', { count })]));
  if (device.record.bootstrapped) return;
  emulation.timers.run(() => clients.of(realm, phone).bootstrap(device));
}
