import { ProtocolAddress, SessionBuilder, SessionCipher } from 'whatsapp-rust-bridge';
import { type LoneSession, loneSessions } from '../../lib/signal-session-record.ts';
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
   * Decrypts what a device sent; where that fails, nothing changes.
   * @throws whatever the bridge gives, see {@link isRepeated}.
   */
  async decrypt(peer: Peer, { type, body }: Ciphertext): Promise<Uint8Array> {
    // A message that begins a session names it: the bridge tries no other.
    if (type === 'pkmsg') return this.#use(peer, (cipher) => cipher.decryptPreKeyWhisperMessage(body));
    const record = this.#phone.sessions.get(addressOf(peer));
    const sessions = record ? loneSessions(record) : [];
    if (sessions.length > 1) return this.#decryptWithOneOf(sessions, peer, body);
    return this.#use(peer, (cipher) => cipher.decryptWhisperMessage(body));
  }

  /** Starts a new session in place of the one there may be. */
  async build(peer: Peer, bundle: KeyBundle): Promise<void> {
    using address = protocolAddress(peer);
    using builder = new SessionBuilder(this.#storage, address);
    const { registrationId, identity, preKey, signedPreKey } = bundle;
    const keys = {
      registrationId,
      identityKey: withType(identity),
      preKey: preKey && { keyId: preKey.id, publicKey: withType(preKey.publicKey) },
      signedPreKey: {
        keyId: signedPreKey.id,
        publicKey: withType(signedPreKey.publicKey),
        signature: signedPreKey.signature,
      },
    };
    await this.#wholly(() => builder.processPreKeyBundle(keys));
  }

  /** Forgets every session. */
  forgetAll(): void {
    for (const address of this.#phone.sessions.keys()) this.#phone.storeSession(address, undefined);
  }

  /** Gives the bridge's memory back. */
  close(): void {
    for (const key of this.#ciphers.keys()) this.#drop(key);
  }

  /** Both sides wrote first at the same time, so there are two sessions, and both may go on to be used. */
  async #decryptWithOneOf(sessions: LoneSession[], peer: Peer, body: Uint8Array): Promise<Uint8Array> {
    let failure: unknown;
    for (const session of sessions) {
      try {
        return await this.#decryptAlone(session, peer, body);
      } catch (error) {
        // What this very session opened before belongs to no other.
        if (isRepeated(error)) throw error;
        failure = error;
      }
    }
    throw failure;
  }

  async #decryptAlone({ record, rejoin }: LoneSession, peer: Peer, body: Uint8Array): Promise<Uint8Array> {
    const key = addressOf(peer);
    const storage = new PhoneSignalStorage(this.#phone, new Map([[key, record]]));
    using address = protocolAddress(peer);
    using cipher = new SessionCipher(storage, address);
    const plaintext = await cipher.decryptWhisperMessage(body);
    for (const changed of storage.take().values()) this.#phone.storeSession(key, rejoin(changed));
    return plaintext;
  }

  async #use<T>(peer: Peer, task: (cipher: SessionCipher) => Promise<T>): Promise<T> {
    const key = addressOf(peer);
    const cached = this.#cached(peer, key);
    try {
      const result = await this.#wholly(() => task(cached.cipher));
      cached.session = this.#phone.sessions.get(key);
      return result;
    } catch (error) {
      // In its memory the session may be spoilt.
      this.#drop(key);
      throw error;
    }
  }

  /** Runs a task whose changes are kept only if it succeeds. */
  async #wholly<T>(task: () => Promise<T>): Promise<T> {
    try {
      const result = await task();
      for (const [address, session] of this.#storage.take()) this.#phone.storeSession(address, session);
      return result;
    } finally {
      this.#storage.take();
    }
  }

  #cached(peer: Peer, key: string): CachedCipher {
    const session = this.#phone.sessions.get(key);
    const known = this.#ciphers.get(key);
    if (known && known.session === session) return known;
    this.#drop(key);
    using address = protocolAddress(peer);
    const made = { cipher: new SessionCipher(this.#storage, address), session };
    this.#ciphers.set(key, made);
    const [oldest] = this.#ciphers.keys();
    if (this.#ciphers.size > CACHED_CIPHERS && oldest !== undefined) this.#drop(oldest);
    return made;
  }

  #drop(key: string): void {
    this.#ciphers.get(key)?.cipher.free();
    this.#ciphers.delete(key);
  }
}

/** Whether decryption failed because this very ciphertext was decrypted before. */
export function isRepeated(error: unknown): boolean {
  return String(error).includes('DuplicatedMessage');
}

function protocolAddress({ number, device }: Peer): ProtocolAddress {
  return new ProtocolAddress(number, device);
}

function addressOf({ number, device }: Peer): string {
  return `${number}.${device}`;
}
