import { announceDevice } from '../network/device-list.ts';
import type { LinkedDevice } from '../network/realms.ts';
import type { ServerContext } from './session.ts';

/** Removes a companion from its account and tells those who know the account's devices. */
export function unlink({ emulation, realms }: ServerContext, linked: LinkedDevice): void {
  const { phone, device } = linked;
  realms.unregister(linked);
  phone.removeDevice(device);
  announceDevice(emulation, linked, 'remove');
}
