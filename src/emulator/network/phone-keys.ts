import { type CurveKeyPair, deriveKeyPair, sign, withType } from '../crypto/curve.ts';

/** The phone has one signed prekey for life. */
export const SIGNED_PRE_KEY_ID = 1;

interface MadeKeys {
  identity: CurveKeyPair;
  signedPreKey: CurveKeyPair;
  signature: Buffer;
}

/** A phone's Signal keys. They derive from its seed when first needed, so numbers that are only looked up cost none. */
export class PhoneKeys {
  readonly #seed: Buffer;
  #made: MadeKeys | undefined;

  /** @param seed hex. */
  constructor(seed: string) {
    this.#seed = Buffer.from(seed, 'hex');
  }

  get identity(): CurveKeyPair {
    return this.#keys().identity;
  }

  get signedPreKey(): CurveKeyPair {
    return this.#keys().signedPreKey;
  }

  /** The identity's signature over the signed prekey. */
  get signedPreKeySignature(): Buffer {
    return this.#keys().signature;
  }

  /** 14 bits, as clients choose theirs. */
  get registrationId(): number {
    return this.#seed.readUInt16BE(0) & 0x3fff || 1;
  }

  /** A one-time key. */
  preKey(id: number): CurveKeyPair {
    return deriveKeyPair(this.#seed, `prekey ${id}`);
  }

  #keys(): MadeKeys {
    if (this.#made) return this.#made;
    const identity = deriveKeyPair(this.#seed, 'identity');
    const signedPreKey = deriveKeyPair(this.#seed, 'signed prekey');
    const signature = sign(identity.privateKey, withType(signedPreKey.publicKey));
    this.#made = { identity, signedPreKey, signature };
    return this.#made;
  }
}
