import type { Fault, ImmediateFault } from '../faults/fault.schema.ts';
import { type FaultTarget, selects } from '../faults/faults.ts';
import { notifyPreKeyCount } from '../network/pre-key-warning.ts';
import { element } from '../wire/node.ts';
import type { Connection } from './connection.ts';
import { type ServerContext, streamError } from './session.ts';

type StrikingFault = ImmediateFault | Extract<Fault, { kind: 'silence' }>;

/** Does to what is connected now what a fault says. A silence that lasts strikes those too that come later. */
export async function strikeNow(
  context: ServerContext,
  connections: Iterable<Connection>,
  fault: StrikingFault,
): Promise<void> {
  if (fault.kind === 'forget_sessions') return forgetSessions(context, fault);
  if (fault.kind === 'prekeys_low') {
    for (const { device } of devicesHit(context, fault))
      notifyPreKeyCount(context.emulation, device, fault.count);
    return;
  }
  for (const connection of connections)
    if (selects(fault, connection.target)) strikeConnection(connection, fault);
}

function strikeConnection(
  connection: Connection,
  fault: Exclude<StrikingFault, { kind: 'forget_sessions' | 'prekeys_low' }>,
): void {
  switch (fault.kind) {
    case 'silence':
      return connection.silence();
    case 'cut':
      return connection.cut();
    case 'end_stream':
      return connection.end(element('xmlstreamend'));
    case 'stream_error':
      return connection.end(streamError(fault));
  }
}

function devicesHit({ realms }: ServerContext, fault: FaultTarget) {
  return realms
    .linkedDevices()
    .filter(({ realm, phone, device }) =>
      selects(fault, { realm: realm.id, phone: phone.number, device: device.id }),
    );
}

async function forgetSessions({ realms, clients }: ServerContext, fault: FaultTarget): Promise<void> {
  for (const realm of realms.list()) {
    for (const phone of realm.phones()) {
      const target = { realm: realm.id, phone: phone.number, ...(fault.device && { device: fault.device }) };
      if (selects(fault, target)) await clients.of(realm, phone).forgetSessions();
    }
  }
}
