import { SERVER } from '../wire/jid.ts';
import { element } from '../wire/node.ts';
import type { Device } from './device.ts';
import { type Emulation, serverSeconds } from './emulation.ts';

/** Clients upload more when they have fewer. */
const FEW = 5;

/** Tells a companion that its one-time keys run out, where they do. */
export function warnOfFewPreKeys(emulation: Emulation, device: Device): void {
  if (device.preKeys.size < FEW) notifyPreKeyCount(emulation, device, device.preKeys.size);
}

/** Tells a companion how many one-time keys it has left. */
export function notifyPreKeyCount(emulation: Emulation, device: Device, count: number): void {
  const attributes = {
    from: SERVER,
    type: 'encrypt',
    id: `prekeys-${emulation.nextSequence()}`,
    t: serverSeconds(emulation),
  };
  device.deliver(element('notification', attributes, [element('count', { value: count })]));
}
