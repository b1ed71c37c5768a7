import type { proto } from '@whiskeysockets/baileys/WAProto/index.js';
import { serverSeconds } from '../network/emulation.ts';
import { jidOf } from '../network/identity.ts';
import { element } from '../wire/node.ts';
import type { Connection } from './connection.ts';
import { dispatch } from './dispatch.ts';
import { failure, type ServerContext, type Session, streamError } from './session.ts';

/** Logs a client in whose device is recognised by the key of its handshake, or refuses it. */
export function logIn(
  context: ServerContext,
  connection: Connection,
  clientKey: Uint8Array,
  payload: proto.ClientPayload,
): void {
  const linked = context.realms.findByNoiseKey(clientKey);
  const claims = `${String(payload.username)}:${payload.device}`;
  if (!linked || claims !== `${linked.phone.number}:${linked.device.id}`) return connection.end(failure(401));
  const { realm, phone, device } = linked;
  connection.target = { realm: realm.id, phone: phone.number, device: device.id };
  const { faults, counters } = context.emulation;
  if (faults.strike('silence', connection.target)) return connection.silence();
  const refusal = faults.strike('refuse_login', connection.target);
  if (refusal) return connection.end(failure(refusal.reason));
  if (device.record.banned) return connection.end(failure(403));
  device.link?.end(streamError({ conflict: 'replaced' }));
  counters.logins++;
  open({ ...context, ...linked, connection });
}

function open(session: Session): void {
  const { emulation, phone, device, connection } = session;
  device.link = connection;
  device.active = false;
  device.available = false;
  connection.onNode = (node) => dispatch(session, node);
  connection.onClosed = () => {
    if (device.link !== connection) return;
    device.link = undefined;
    device.active = false;
    device.available = false;
  };
  const attributes = {
    t: serverSeconds(emulation),
    props: 27,
    lid: jidOf(phone.identity, 'lid', device.id),
    display_name: phone.record.name,
  };
  connection.send(element('success', attributes));
}
