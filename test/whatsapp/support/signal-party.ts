import {
  addTransactionCapability,
  Curve,
  generateSignalPubKey,
  initAuthCreds,
} from '@whiskeysockets/baileys';
import pino from 'pino';
import { createSharedKeys, KeyCache } from '../../../src/whatsapp/baileys/key-cache.ts';
import { CODECS } from '../../../src/whatsapp/baileys/key-codec.ts';
import { LidMapping } from '../../../src/whatsapp/baileys/lid-mapping.ts';
import { baileysLogger } from '../../../src/whatsapp/baileys/log-adapter.ts';
import { createSignalRepository } from '../../../src/whatsapp/baileys/signal-repository.ts';
import { Unconfirmed } from '../../../src/whatsapp/baileys/unconfirmed.ts';
import { MemoryKeyStore } from './memory-key-store.ts';

const logger = baileysLogger(pino({ level: 'silent' }));

/** A device with the adapter's Signal repository on a store in memory. */
export function signalParty(
  options: {
    store?: MemoryKeyStore;
    devices?: number[];
    ask?: (jids: string[]) => Promise<{ pn: string; lid: string }[]>;
  } = {},
) {
  const store = options.store ?? new MemoryKeyStore();
  const creds = initAuthCreds();
  const cache = new KeyCache({
    store,
    shared: createSharedKeys(1_000_000),
    lazyMs: 60_000,
    onLost: () => undefined,
  });
  const unconfirmed = new Unconfirmed(cache);
  const none = { get: () => ({}), set: () => undefined };
  const keys = addTransactionCapability(none, logger, { maxCommitRetries: 1, delayBetweenTriesMs: 1 });
  const mapping = new LidMapping(cache, keys, logger, options.ask);
  const devicesOf = async () => options.devices ?? [];
  const repository = createSignalRepository({
    creds,
    cache,
    unconfirmed,
    mapping,
    devicesOf,
    onClose: () => undefined,
  });
  let lastPreKey = 0;
  return {
    store,
    creds,
    cache,
    unconfirmed,
    mapping,
    repository,
    /** Keys for others to start a session with; each call uses up a one-time key. */
    bundle() {
      const pair = Curve.generateKeyPair();
      const keyId = ++lastPreKey;
      cache.put([{ kind: 'pre-key', id: `${keyId}`, value: CODECS['pre-key'].encode(pair) }]);
      return {
        registrationId: creds.registrationId,
        identityKey: generateSignalPubKey(creds.signedIdentityKey.public),
        signedPreKey: {
          keyId: creds.signedPreKey.keyId,
          publicKey: generateSignalPubKey(creds.signedPreKey.keyPair.public),
          signature: creds.signedPreKey.signature,
        },
        preKey: { keyId, publicKey: generateSignalPubKey(pair.public) },
      };
    },
  };
}

export type SignalParty = ReturnType<typeof signalParty>;
