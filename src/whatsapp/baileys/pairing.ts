import { type BinaryNode, configureSuccessfulPairing } from '@whiskeysockets/baileys';
import type { Clock } from '../../lib/clock.ts';
import type { SocketHandlers } from '../socket.ts';
import type { Credentials } from './credentials.ts';
import { takeListeners } from './take-listeners.ts';
import type { Wire } from './wire.ts';

/** Baileys shows the first code for a minute and each later one for 20 seconds. */
const FIRST_QR_MS = 60_000;
const NEXT_QR_MS = 20_000;

interface PairingParts {
  wire: Pick<Wire, 'ev' | 'ws'>;
  credentials: Credentials;
  clock: Clock;
  onQr: SocketHandlers['onQr'];
  onLinked: () => void;
  /** The credentials could not be stored, so the pairing must not be confirmed. */
  onNotStored: (error: unknown) => void;
}

/** Reports QR codes, and confirms a pairing to WhatsApp only after its credentials are durable. */
export function watchPairing({ wire, credentials, clock, onQr, onLinked, onNotStored }: PairingParts): void {
  let shown = 0;
  wire.ev.on('connection.update', ({ qr }) => {
    if (qr === undefined) return;
    const lifetime = shown++ === 0 ? FIRST_QR_MS : NEXT_QR_MS;
    onQr({ text: qr, expiresAt: new Date(clock.now().getTime() + lifetime) });
  });

  const confirm = takeListeners(wire.ws, 'CB:iq,,pair-success');
  const paired = async (node: BinaryNode) => {
    // Baileys does the same once more; it reports a signature that does not hold.
    const update = tryPairing(node, credentials);
    if (update !== undefined) await credentials.persistAs(update);
    await confirm(node);
    if (update !== undefined) onLinked();
  };
  wire.ws.on('CB:iq,,pair-success', (node: BinaryNode) => {
    paired(node).catch(onNotStored);
  });
}

function tryPairing(node: BinaryNode, { value }: Credentials) {
  try {
    return configureSuccessfulPairing(node, value).creds;
  } catch {
    return undefined;
  }
}
