import { element } from '../wire/node.ts';
import { type Emulation, serverSeconds } from './emulation.ts';
import { jidOf } from './identity.ts';
import type { LinkedDevice } from './realms.ts';

/** Tells an account's companions, and all that asked for its devices, that one came or went. */
export function announceDevice(
  emulation: Emulation,
  { realm, phone, device: changed }: LinkedDevice,
  change: 'add' | 'remove',
): void {
  const watchers = phone.record.watchers.flatMap((key) => realm.device(key) ?? []);
  const t = serverSeconds(emulation);
  const jid = jidOf(phone.identity, 'pn', changed.id);
  const content = element(change, { device_hash: `2:${phone.devices.size}` }, [
    element('device', { jid, 'key-index': changed.record.keyIndex }),
    element('key-index-list', { ts: t }),
  ]);
  for (const device of new Set([...phone.devices.values(), ...watchers])) {
    if (device === changed) continue;
    const attributes = {
      from: jidOf(phone.identity),
      lid: jidOf(phone.identity, 'lid'),
      type: 'devices',
      id: `devices-${emulation.nextSequence()}`,
      t,
    };
    device.deliver(element('notification', attributes, [content]));
  }
}
