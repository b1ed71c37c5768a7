import type { Emulation } from '../network/emulation.ts';
import type { LinkedDevice, Realms } from '../network/realms.ts';
import type { PhoneClients } from '../phone/phone-clients.ts';
import { element, type WireNode } from '../wire/node.ts';
import type { Connection } from './connection.ts';

/** What the server's parts work with. */
export interface ServerContext {
  emulation: Emulation;
  realms: Realms;
  clients: PhoneClients;
}

/** A companion that is logged in. */
export interface Session extends ServerContext, LinkedDevice {
  connection: Connection;
}

/** Says that the login, or the whole session, is refused; clients close with the reason as their code. */
export function failure(reason: number): WireNode {
  return element('failure', { reason, location: 'sandbox' });
}

/** Says why the stream ends. */
export function streamError(options: {
  code?: number | undefined;
  conflict?: 'replaced' | 'device_removed' | undefined;
}): WireNode {
  const { code, conflict } = options;
  return element('stream:error', { code }, conflict ? [element('conflict', { type: conflict })] : undefined);
}
