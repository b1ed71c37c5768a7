import type { SignalCreds, SignalRepositoryWithLIDStore } from '@whiskeysockets/baileys';
import { ProtocolAddress, SessionBuilder, SessionCipher, type SignalStorage } from 'whatsapp-rust-bridge';
import { sessionInfo } from '../../lib/signal-session-record.ts';
import { groupReceiving, groupSending, type SignalParts } from './group-signal.ts';
import { isLid, isPerson, parseJid, signalAddress } from './jid.ts';
import type { KeyCache } from './key-cache.ts';
import { KeyedLock } from './keyed-lock.ts';
import type { LidMapping } from './lid-mapping.ts';
import { openCiphertext, type Sealed } from './open-ciphertext.ts';
import { type RatchetState, SignalError, withStorage } from './signal-storage.ts';
import type { Unconfirmed } from './unconfirmed.ts';

const PREKEY_MESSAGE = 3;

interface RepositoryParts {
  creds: SignalCreds;
  cache: KeyCache;
  unconfirmed: Unconfirmed;
  mapping: LidMapping;
  /** Known devices of a user, to move their sessions when the user's LID becomes known. */
  devicesOf: (user: string) => Promise<number[]>;
  /** Baileys is shutting the connection down. */
  onClose: () => void;
}

/**
 * Signal for Baileys (option `makeSignalRepository`), on `whatsapp-rust-bridge`, which verifies signed prekeys. Two
 * promises beyond Baileys' own: a ciphertext is handed out only after the ratchet state behind it is durable, and what
 * decrypting changes becomes durable only after the message is committed ({@link Unconfirmed}).
 */
export function createSignalRepository(parts: RepositoryParts): SignalRepositoryWithLIDStore {
  const { creds, cache, unconfirmed, mapping } = parts;
  const locks = new KeyedLock();
  const signal: SignalParts = {
    creds,
    cache,
    unconfirmed,
    locks,
    sending: sendingState(cache),
    receiving: receivingState(cache, unconfirmed),
  };
  const opened = new WeakMap<Uint8Array, Promise<Uint8Array>>();

  return {
    ...groupReceiving(signal),
    ...groupSending(signal),
    ...sessionOperations(signal, mapping),
    lidMapping: mapping,

    /** A ciphertext opens once, whoever asks: the same bytes (the same object) give the same answer again. */
    decryptMessage({ jid, type, ciphertext }) {
      const known = opened.get(ciphertext);
      if (known !== undefined) return known;
      const plaintext = decrypt(signal, mapping, jid, { type, ciphertext });
      opened.set(ciphertext, plaintext);
      plaintext.catch((error: unknown) => {
        // The storage failed, not the message: it may open yet.
        if (!(error instanceof SignalError)) opened.delete(ciphertext);
      });
      return plaintext;
    },

    jidToSignalProtocolAddress: (jid) => addressText(mapping.peekCanonical(jid)),
    migrateSession: (from, to) => migrate(parts, signal.receiving, from, to),
    close: parts.onClose,
  };
}

type SessionOperations = Pick<
  SignalRepositoryWithLIDStore,
  'deleteSession' | 'encryptMessage' | 'getSessionInfo' | 'injectE2ESession' | 'validateSession'
>;

function sessionOperations(signal: SignalParts, mapping: LidMapping): SessionOperations {
  const { cache, unconfirmed, receiving } = signal;
  const addressOf = async (jid: string) => addressText(await mapping.canonical(jid));

  const send = async <T>(jid: string, work: Work<T>) => workOnCommitted(signal, await addressOf(jid), work);

  return {
    async encryptMessage({ jid, data }) {
      const { type, body } = await send(jid, async (storage, to) => {
        using cipher = new SessionCipher(storage, to);
        return await cipher.encrypt(data);
      });
      await cache.persist();
      return { type: type === PREKEY_MESSAGE ? 'pkmsg' : 'msg', ciphertext: body };
    },

    async injectE2ESession({ jid, session: { registrationId, identityKey, signedPreKey, preKey } }) {
      await send(jid, async (storage, to) => {
        using builder = new SessionBuilder(storage, to);
        await builder.processPreKeyBundle({ registrationId, identityKey, signedPreKey, preKey });
      });
    },

    async validateSession(jid) {
      const exists = (await receiving.load('session', await addressOf(jid))) !== undefined;
      return exists ? { exists } : { exists, reason: 'no session' };
    },

    async getSessionInfo(jid) {
      const record = await receiving.load('session', await addressOf(jid));
      return record === undefined ? null : sessionInfo(record);
    },

    async deleteSession(jids) {
      for (const address of await Promise.all(jids.map(addressOf))) {
        unconfirmed.forget('session', address);
        cache.put([{ kind: 'session', id: address, value: null }]);
      }
    },
  };
}

type Work<T> = (storage: SignalStorage, to: ProtocolAddress) => Promise<T>;

/** Works on a session whose received messages are all committed, so that what it becomes may be durable. */
async function workOnCommitted<T>(signal: SignalParts, address: string, work: Work<T>): Promise<T> {
  const { creds, unconfirmed, locks, sending } = signal;
  for (;;) {
    // Waiting inside the lock would keep the batch from finishing.
    await unconfirmed.cleared('session', address);
    const done = await locks.run(address, async () => {
      if (unconfirmed.get('session', address) !== undefined) return undefined;
      return withStorage(creds, sending, async (storage) => {
        using to = ProtocolAddress.from(address);
        return { result: await work(storage, to) };
      });
    });
    if (done !== undefined) return done.result;
  }
}

function sendingState(cache: KeyCache): RatchetState {
  return {
    load: (kind, id) => cache.get(kind, id),
    store: (kind, id, value) => cache.put([{ kind, id, value }]),
  };
}

function receivingState(cache: KeyCache, unconfirmed: Unconfirmed): RatchetState {
  return {
    async load(kind, id) {
      const write = unconfirmed.get(kind, id);
      return write === undefined ? cache.get(kind, id) : (write.value ?? undefined);
    },
    store: (kind, id, value) => unconfirmed.put({ kind, id, value }),
  };
}

async function decrypt(
  signal: SignalParts,
  mapping: LidMapping,
  jid: string,
  sealed: Sealed,
): Promise<Uint8Array> {
  const { creds, locks, receiving, unconfirmed } = signal;
  const address = addressText(await mapping.canonical(jid));
  const plaintext = await locks.run(address, () => openCiphertext(creds, receiving, address, sealed));
  unconfirmed.confirmSingle();
  return plaintext;
}

/** Moves the sessions of a number's devices to the LID that it turned out to have. */
async function migrate(
  { unconfirmed, devicesOf }: RepositoryParts,
  state: RatchetState,
  from: string,
  to: string,
): Promise<{ migrated: number; skipped: number; total: number }> {
  const phone = parseJid(from);
  const lid = parseJid(to);
  if (!phone || !lid || !isLid(to) || isLid(from) || !isPerson(from))
    return { migrated: 0, skipped: 0, total: 0 };
  const devices = new Set([phone.device, ...(await devicesOf(phone.user))]);
  let migrated = 0;
  for (const device of devices) {
    const oldAddress = addressText(`${phone.user}:${device}@${phone.server}`);
    const newAddress = addressText(`${lid.user}:${device}@${lid.server}`);
    const session = await state.load('session', oldAddress);
    if (session === undefined) continue;
    if ((await state.load('session', newAddress)) === undefined) {
      state.store('session', newAddress, session);
      migrated++;
    }
    state.store('session', oldAddress, null);
  }
  unconfirmed.confirmSingle();
  return { migrated, skipped: devices.size - migrated, total: devices.size };
}

function addressText(jid: string): string {
  const { name, device } = signalAddress(jid);
  return `${name}.${device}`;
}
