import { proto } from '@whiskeysockets/baileys/WAProto/index.js';
import { type CurveKeyPair, generateKeyPair, sign } from '../crypto/curve.ts';
import type { ServerIdentity } from './noise-handshake.ts';

/** `WA_CERT_DETAILS.SERIAL` in clients: what the intermediate must name as its issuer. */
const ROOT_SERIAL = 0;
const INTERMEDIATE_SERIAL = 1;
const LEAF_SERIAL = 2;
const YEAR_SECONDS = 365 * 24 * 3600;

/**
 * Which link of the chain is forged.
 * `root`: everything is sound but hangs from a stranger's root. `intermediate`: the intermediate's key was exchanged
 * under the old signature. `leaf`: the leaf is signed by someone else than the intermediate.
 */
export type ForgedLink = 'root' | 'intermediate' | 'leaf';

/** Makes the certificates a server shows in its handshake, sound ones and forged ones. */
export class CertificateAuthority {
  readonly #root: CurveKeyPair;
  readonly #server = generateKeyPair();
  readonly #made = new Map<ForgedLink | 'sound', ServerIdentity>();
  readonly #now: () => Date;

  constructor(root: CurveKeyPair, now: () => Date) {
    this.#root = root;
    this.#now = now;
  }

  /** The server's identity; each variant is made once. */
  identity(forged?: ForgedLink): ServerIdentity {
    const variant = forged ?? 'sound';
    const known = this.#made.get(variant);
    if (known) return known;
    const made = { keyPair: this.#server, certificates: this.#chain(forged) };
    this.#made.set(variant, made);
    return made;
  }

  #chain(forged: ForgedLink | undefined): Uint8Array {
    const root = forged === 'root' ? generateKeyPair() : this.#root;
    const honest = generateKeyPair();
    const signed = this.#details(INTERMEDIATE_SERIAL, ROOT_SERIAL, honest.publicKey);
    const intermediateKey = forged === 'intermediate' ? generateKeyPair() : honest;
    const shown = this.#details(INTERMEDIATE_SERIAL, ROOT_SERIAL, intermediateKey.publicKey);
    const leaf = this.#details(LEAF_SERIAL, INTERMEDIATE_SERIAL, this.#server.publicKey);
    const leafSigner = forged === 'leaf' ? generateKeyPair() : intermediateKey;
    return proto.CertChain.encode({
      leaf: { details: leaf, signature: sign(leafSigner.privateKey, leaf) },
      intermediate: { details: shown, signature: sign(root.privateKey, signed) },
    }).finish();
  }

  #details(serial: number, issuerSerial: number, key: Uint8Array): Uint8Array {
    const now = Math.floor(this.#now().getTime() / 1000);
    const notBefore = now - YEAR_SECONDS;
    const notAfter = now + 10 * YEAR_SECONDS;
    return proto.CertChain.NoiseCertificate.Details.encode({
      serial,
      issuerSerial,
      key,
      notBefore,
      notAfter,
    }).finish();
  }
}
