import { startControl } from './control/control-server.ts';
import { type CurveKeyPair, generateKeyPair, keyPairOf } from './crypto/curve.ts';
import { Faults } from './faults/faults.ts';
import type { Emulation } from './network/emulation.ts';
import { Realms } from './network/realms.ts';
import { restoreState } from './network/restore-state.ts';
import { PhoneClients } from './phone/phone-clients.ts';
import { createChat } from './server/chat.ts';
import { SOCKET_PATH } from './server/websocket-server.ts';
import { Counters } from './state/counters.ts';
import { type EmulatorLog, SILENT_LOG } from './state/log.ts';
import { StateStore } from './state/state-store.ts';
import { Timers } from './state/timers.ts';
import { CertificateAuthority } from './wire/certificates.ts';

const ROOT_KEY = 'root';

export interface EmulatorOptions {
  host: string;
  /** Of the WebSocket server; 0 takes a free one. */
  port: number;
  controlPort: number;
  controlToken: string;
  /** Where linked devices, phones and messages are kept between runs; without it they are gone with the process. */
  stateDir?: string;
  /** 32 bytes; without it the key of the last run is used, or a new one. */
  rootPrivateKey?: Uint8Array;
  log?: EmulatorLog;
  now?: () => Date;
}

export interface RunningEmulator {
  wsUrl: string;
  controlUrl: string;
  controlToken: string;
  /** What clients must trust (`WA_CERT_DETAILS.PUBLIC_KEY`), 32 bytes. */
  rootPublicKey: Uint8Array;
  /** Drops all connections and resolves when everything is on disk. */
  close(): Promise<void>;
}

/** Starts the sandbox's WhatsApp server, its virtual phones and the API that controls them. */
export async function startEmulator(options: EmulatorOptions): Promise<RunningEmulator> {
  const { host, log = SILENT_LOG, now = () => new Date() } = options;
  const store = await StateStore.open(options.stateDir);
  const stored = await store.load();
  const root = rootKey(store, stored, options.rootPrivateKey);
  const { emulation, setSequence } = createEmulation(store, log, now);
  const clients = new PhoneClients(emulation);
  const realms = new Realms(emulation, (realm, phone, delivery) => clients.of(realm, phone).wake(delivery));
  setSequence(restoreState(realms, stored));
  const context = { emulation, realms, clients };
  const chat = createChat(emulation, context, new CertificateAuthority(root, now));
  const port = await chat.server.listen(host, options.port);
  const wsUrl = `ws://${reachable(host)}:${port}${SOCKET_PATH}`;
  const rootPublicKey = root.publicKey;
  const parts = { ...context, ...chat, wsUrl, rootPublicKey };
  const control = await startControl(parts, host, options.controlPort, options.controlToken);
  for (const realm of realms.list())
    for (const phone of realm.phones()) if (phone.queue.size > 0) phone.wake();
  log.info({ wsUrl }, 'emulator is up');
  return {
    wsUrl,
    controlUrl: `http://${reachable(host)}:${control.port}`,
    controlToken: options.controlToken,
    rootPublicKey,
    async close() {
      emulation.timers.close();
      await Promise.all([control.close(), chat.server.close()]);
      await clients.idle();
      await store.close();
    },
  };
}

function createEmulation(store: StateStore, log: EmulatorLog, now: () => Date) {
  let sequence = 0;
  const emulation: Emulation = {
    store,
    timers: new Timers(log),
    faults: new Faults(now),
    counters: new Counters(),
    log,
    now,
    nextSequence: () => ++sequence,
  };
  const setSequence = (used: number) => {
    sequence = used;
  };
  return { emulation, setSequence };
}

function rootKey(store: StateStore, stored: [string, Buffer][], given: Uint8Array | undefined): CurveKeyPair {
  const kept = stored.find(([key]) => key === ROOT_KEY)?.[1];
  const pair = given || kept ? keyPairOf(given ?? kept ?? new Uint8Array()) : generateKeyPair();
  store.put(ROOT_KEY, () => pair.privateKey);
  return pair;
}

/** A server that listens everywhere is reached at the loopback address. */
function reachable(host: string): string {
  return host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
}
