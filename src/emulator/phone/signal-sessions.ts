import { ProtocolAddress, SessionBuilder, SessionCipher } from 'whatsapp-rust-bridge';
import { withType } from '../crypto/curve.ts';
import type { KeyBundle } from '../network/device.ts';
import type { Phone } from '../network/phone.ts';
import { PhoneSignalStorage } from './signal-storage.ts';

/** Ciphers keep their session in memory, which saves most of the work; a phone rarely talks to more devices at a time. */
const CACHED_CIPHERS = 64;
/** Type of a message that sets up a session, in the bridge's answer. */
const PRE_KEY_TYPE = 3;

/** A device of the same realm. */
export interface Peer {
  number: string;
  device: number;
}

export interface Ciphertext {
  type: 'pkmsg' | 'msg';
  body: Uint8Array;
}

interface CachedCipher {
  cipher: SessionCipher;
  /** The session as the cipher left it: where the phone has another now, the cipher is stale. */
  session: Uint8Array | undefined;
}

/** A phone's Signal sessions. Calls for one phone must not overlap: they run in its lane. */
export class SignalSessions {
  readonly #phone: Phone;
  readonly #storage: PhoneSignalStorage;
  readonly #ciphers = new Map<string, CachedCipher>();

  constructor(phone: Phone) {
    this.#phone = phone;
    this.#storage = new PhoneSignalStorage(phone);
  }

  /** Encrypts for a device; `bundle` gives its keys where there is no session yet. */
  async encrypt(peer: Peer, plaintext: Uint8Array, bundle: () => KeyBundle): Promise<Ciphertext> {
    if (!this.#phone.sessions.has(addressOf(peer))) await this.build(peer, bundle());
    const { type, body } = await this.#use(peer, (cipher) => cipher.encrypt(plaintext));
    return { type: type === PRE_KEY_TYPE ? 'pkmsg' : 'msg', body };
  }

  /**
   * Decrypts what a device sent.
   * @throws whatever the bridge gives, see {@link isRepeated}.
   */
  async decrypt(peer: Peer, { type, body }: Ciphertext): Promise<Uint8Array> {
    return this.#use(peer, (cipher) =>
      type === 'pkmsg' ? cipher.decryptPreKeyWhisperMessage(body) : cipher.decryptWhisperMessage(body),
    );
  }

  /** Starts a new session in place of the one there may be. */
  async build(peer: Peer, bundle: KeyBundle): Promise<void> {
    const builder = new SessionBuilder(this.#storage, new ProtocolAddress(peer.number, peer.device));
    await builder.processPreKeyBundle({
      registrationId: bundle.registrationId,
      identityKey: withType(bundle.identity),
      preKey: bundle.preKey && {
        keyId: bundle.preKey.id,
        publicKey: withType(bundle.preKey.publicKey),
      },
      signedPreKey: {
        keyId: bundle.signedPreKey.id,
        publicKey: withType(bundle.signedPreKey.publicKey),
        signature: bundle.signedPreKey.signature,
      },
    });
  }

  /** Forgets every session. */
  forgetAll(): void {
    for (const address of this.#phone.sessions.keys()) this.#phone.storeSession(address, undefined);
  }

  /** Gives the bridge's memory back. */
  close(): void {
    for (const { cipher } of this.#ciphers.values()) cipher.free();
    this.#ciphers.clear();
  }

  async #use<T>(peer: Peer, task: (cipher: SessionCipher) => Promise<T>): Promise<T> {
    const address = addressOf(peer);
    const cached = this.#cached(peer, address);
    try {
      return await task(cached.cipher);
    } finally {
      cached.session = this.#phone.sessions.get(address);
    }
  }

  #cached(peer: Peer, address: string): CachedCipher {
    const session = this.#phone.sessions.get(address);
    const known = this.#ciphers.get(address);
    if (known && known.session === session) return known;
    const cipher = new SessionCipher(this.#storage, new ProtocolAddress(peer.number, peer.device));
    const made = { cipher, session };
    this.#ciphers.set(address, made);
    const [oldest] = this.#ciphers.keys();
    if (this.#ciphers.size > CACHED_CIPHERS && oldest !== undefined) this.#ciphers.delete(oldest);
    return made;
  }
}

/** Whether decryption failed because this very ciphertext was decrypted before. */
export function isRepeated(error: unknown): boolean {
  return String(error).includes('DuplicatedMessage');
}

function addressOf({ number, device }: Peer): string {
  return `${number}.${device}`;
}
