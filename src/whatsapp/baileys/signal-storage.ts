import { generateSignalPubKey, type SignalCreds } from '@whiskeysockets/baileys';
import type { SignalStorage } from 'whatsapp-rust-bridge';
import { CODECS } from './key-codec.ts';

/** Where Signal state is read and written. */
export interface RatchetState {
  load(kind: string, id: string): Promise<Uint8Array | undefined>;
  store(kind: string, id: string, value: Uint8Array | null): void;
}

/** Why Signal could not open or seal a message. */
export type SignalFailure = 'duplicate' | 'no_session' | 'invalid';

export class SignalError extends Error {
  override readonly name = 'SignalError';
  readonly failure: SignalFailure;

  constructor(failure: SignalFailure) {
    super(`signal: ${failure}`);
    this.failure = failure;
  }
}

/**
 * Runs one operation of the bridge on the state, which changes only if it succeeds: the bridge stores half-way results
 * too. It rejects with strings that quote addresses, and swallows what the storage threw: this gives errors that say
 * whose fault it was.
 * @throws SignalError when the message or the key bundle is at fault; the storage's own error when that failed.
 */
export async function withStorage<T>(
  creds: SignalCreds,
  state: RatchetState,
  operation: (storage: SignalStorage) => Promise<T>,
): Promise<T> {
  const changes = new Map<string, [kind: string, id: string, value: Uint8Array | null]>();
  let broken: { error: unknown } | undefined;
  const attempt: RatchetState = {
    async load(kind, id) {
      const change = changes.get(`${kind}/${id}`);
      if (change !== undefined) return change[2] ?? undefined;
      try {
        return await state.load(kind, id);
      } catch (error) {
        broken = { error };
        throw error;
      }
    },
    store: (kind, id, value) => void changes.set(`${kind}/${id}`, [kind, id, value]),
  };
  try {
    const result = await operation(storageOn(creds, attempt));
    for (const change of changes.values()) state.store(...change);
    return result;
  } catch (error) {
    if (broken !== undefined) throw broken.error;
    throw new SignalError(failureIn(String(error)));
  }
}

function failureIn(text: string): SignalFailure {
  if (text.includes('DuplicatedMessage') || text.includes('old counter')) return 'duplicate';
  if (text.includes('SessionNotFound')) return 'no_session';
  return 'invalid';
}

/** The bridge hands sessions over as bytes where it can, though its types do not say so. */
type BridgeStorage = SignalStorage & { storeSessionRaw(address: string, record: Uint8Array): void };

function storageOn(
  { signedIdentityKey, signedPreKey, registrationId }: SignalCreds,
  state: RatchetState,
): BridgeStorage {
  return {
    storeSessionRaw(address, record) {
      state.store('session', address, record);
    },
    loadSession: (address) => state.load('session', address),
    storeSession(address, record) {
      state.store('session', address, record.serialize());
    },
    getOurIdentity: () => ({
      pubKey: generateSignalPubKey(signedIdentityKey.public),
      privKey: signedIdentityKey.private,
    }),
    getOurRegistrationId: () => registrationId,
    // As WhatsApp's own clients: a changed identity is a new phone, not an attack that the user could judge.
    isTrustedIdentity: () => true,
    async loadPreKey(id) {
      const bytes = await state.load('pre-key', String(id));
      if (bytes === undefined) return null;
      const pair = CODECS['pre-key'].decode(bytes);
      return { pubKey: generateSignalPubKey(pair.public), privKey: pair.private };
    },
    removePreKey(id) {
      state.store('pre-key', String(id), null);
    },
    loadSignedPreKey(id) {
      if (id !== signedPreKey.keyId) return null;
      const { keyPair, signature } = signedPreKey;
      return {
        keyId: id,
        keyPair: { pubKey: generateSignalPubKey(keyPair.public), privKey: keyPair.private },
        signature,
      };
    },
    loadSenderKey: (id) => state.load('sender-key', id),
    storeSenderKey(id, record) {
      state.store('sender-key', id, record);
    },
  };
}
