import type { Emulation } from '../network/emulation.ts';
import type { CertificateAuthority } from '../wire/certificates.ts';
import { logIn } from './login.ts';
import { Pairing } from './pairing.ts';
import type { ServerContext } from './session.ts';
import { ChatServer } from './websocket-server.ts';

/** The multi-device server: connections, and the clients that wait to be linked. */
export interface Chat {
  server: ChatServer;
  pairing: Pairing;
}

/** Makes the server; it accepts nobody before it listens. */
export function createChat(
  emulation: Emulation,
  context: ServerContext,
  authority: CertificateAuthority,
): Chat {
  const pairing = new Pairing(context);
  const server = new ChatServer(emulation, authority, {
    onHandshaken(connection, { clientKey, payload }) {
      if (payload.devicePairingData) pairing.register(connection, clientKey, payload);
      else logIn(context, connection, clientKey, payload);
    },
  });
  return { server, pairing };
}
