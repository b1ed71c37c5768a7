import { makeWASocket } from '@whiskeysockets/baileys';
import type { Log } from '../../platform/log/log.ts';
import type { SocketOptions } from '../socket.ts';
import type { Credentials } from './credentials.ts';
import type { DeviceDirectory } from './devices.ts';
import { guardListeners } from './guard-listeners.ts';
import type { KeyCache } from './key-cache.ts';
import { LidMapping } from './lid-mapping.ts';
import { signalKeyStore } from './signal-key-store.ts';
import { createSignalRepository } from './signal-repository.ts';
import { type ClientIdentity, socketConfig } from './socket-config.ts';
import { Unconfirmed } from './unconfirmed.ts';

/** Baileys' socket. Parts of it are asked for by `Pick`, so that a test can stand in for them. */
export type Wire = ReturnType<typeof makeWASocket>;

/** What a session keeps from one connection to the next. */
export interface SessionState {
  credentials: Credentials;
  cache: KeyCache;
  directory: DeviceDirectory;
}

export interface OpenWire {
  wire: Wire;
  mapping: LidMapping;
  unconfirmed: Unconfirmed;
}

interface WireParts {
  options: SocketOptions;
  state: SessionState;
  client: ClientIdentity;
  log: Log;
  /** Called when Baileys begins to shut the connection down, which can be long before it says so. */
  onClosing: () => void;
  /** Called when what the server sends cannot be read any more. */
  onBroken: () => void;
}

/** Starts a connection of Baileys' on the session's state. */
export function openWire({ options, state, client, log, onClosing, onBroken }: WireParts): OpenWire {
  const { credentials, cache, directory } = state;
  const unconfirmed = new Unconfirmed(cache);
  const parts = {
    auth: { creds: credentials.value, keys: signalKeyStore(cache, credentials) },
    userDevicesCache: directory.asBaileysCache(),
    makeSignalRepository: (...[auth, logger, ask]: Parameters<NonNullable<RepositoryMaker>>) =>
      createSignalRepository({
        creds: auth.creds,
        cache,
        unconfirmed,
        mapping: new LidMapping(cache, auth.keys, logger, ask),
        devicesOf: (user) => directory.numbersOf(user),
        onClose: onClosing,
      }),
  };
  const wire = makeWASocket(socketConfig(options, parts, client, log));
  const onError = (error: unknown, event: string) =>
    log.warn({ err: error, event }, 'baileys failed on a stanza');
  guardListeners(wire.ws, onError, onBroken);
  const mapping = wire.signalRepository.lidMapping;
  if (!(mapping instanceof LidMapping)) throw new Error('Baileys does not use the given Signal repository');
  return { wire, mapping, unconfirmed };
}

type RepositoryMaker = Parameters<typeof makeWASocket>[0]['makeSignalRepository'];
