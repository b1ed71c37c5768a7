import type { KeyPair, SessionRecord, SignalStorage, SignedPreKey } from 'whatsapp-rust-bridge';
import { type CurveKeyPair, withType } from '../crypto/curve.ts';
import type { Phone } from '../network/phone.ts';
import { SIGNED_PRE_KEY_ID } from '../network/phone-keys.ts';

/**
 * A phone's keys and sessions, as the Signal implementation asks for them. What that stores counts only once it is
 * {@link take taken}: the bridge stores half-way results too, of a decryption that then fails.
 */
export class PhoneSignalStorage implements SignalStorage {
  readonly #phone: Phone;
  readonly #sessions: ReadonlyMap<string, Uint8Array>;
  #changed = new Map<string, Uint8Array>();

  /** @param sessions what the phone is to see as its sessions, by address. */
  constructor(phone: Phone, sessions: ReadonlyMap<string, Uint8Array> = phone.sessions) {
    this.#phone = phone;
    this.#sessions = sessions;
  }

  /** Hands out, by address, the sessions stored since the last time, and forgets them. */
  take(): Map<string, Uint8Array> {
    const changed = this.#changed;
    this.#changed = new Map();
    return changed;
  }

  loadSession(address: string): Uint8Array | undefined {
    return this.#changed.get(address) ?? this.#sessions.get(address);
  }

  storeSession(address: string, record: SessionRecord): void {
    this.#changed.set(address, record.serialize());
  }

  /** What the bridge calls instead of {@link storeSession}, though its types do not say so. */
  storeSessionRaw(address: string, record: Uint8Array): void {
    this.#changed.set(address, record);
  }

  getOurIdentity(): KeyPair {
    return bridgeKeyPair(this.#phone.keys.identity);
  }

  getOurRegistrationId(): number {
    return this.#phone.keys.registrationId;
  }

  /** Linked devices come and go under one address, so a changed identity is accepted. */
  isTrustedIdentity(): boolean {
    return true;
  }

  loadPreKey(id: number): KeyPair {
    return bridgeKeyPair(this.#phone.keys.preKey(id));
  }

  /** One-time keys derive from the seed; a used one is never given out again. */
  removePreKey(): void {}

  loadSignedPreKey(): SignedPreKey {
    const { signedPreKey, signedPreKeySignature } = this.#phone.keys;
    return {
      keyId: SIGNED_PRE_KEY_ID,
      keyPair: bridgeKeyPair(signedPreKey),
      signature: signedPreKeySignature,
    };
  }

  /** Groups are not imitated. */
  loadSenderKey(): undefined {
    return undefined;
  }

  storeSenderKey(): void {}
}

function bridgeKeyPair({ publicKey, privateKey }: CurveKeyPair): KeyPair {
  return { pubKey: withType(publicKey), privKey: privateKey };
}
