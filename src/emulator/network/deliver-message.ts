import { child, type WireNode } from '../wire/node.ts';
import type { Device } from './device.ts';
import type { Emulation } from './emulation.ts';

/** Hands an encrypted message to a companion, with the faults that lie in wait for it. */
export function deliverMessage(emulation: Emulation, device: Device, node: WireNode): void {
  const { faults, counters } = emulation;
  const target = { realm: device.owner.realm, phone: device.owner.number, device: device.id };
  const sound = faults.strike('corrupt_delivery', target) ? corrupted(node) : node;
  const copies = faults.strike('duplicate_delivery', target) ? 2 : 1;
  counters.messagesOut++;
  for (let copy = 0; copy < copies; copy++) device.deliver(sound);
}

/** The same stanza with one byte of its ciphertext flipped. */
function corrupted(node: WireNode): WireNode {
  const enc = child(node, 'enc');
  if (!enc || !(enc.content instanceof Uint8Array)) return node;
  const content = Buffer.from(enc.content);
  const middle = content.length >> 1;
  content[middle] = (content[middle] ?? 0) ^ 1;
  const rest = Array.isArray(node.content) ? node.content.filter((one) => one !== enc) : [];
  return { ...node, content: [{ ...enc, content }, ...rest] };
}
