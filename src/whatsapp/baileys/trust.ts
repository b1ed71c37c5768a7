import { Curve, generateSignalPubKey, WA_CERT_DETAILS } from '@whiskeysockets/baileys';
import {
  calculateAgreement,
  calculateSignature,
  generateKeyPair,
  verifySignature,
} from 'whatsapp-rust-bridge';
import { isChainConsistent } from './certificate-chain.ts';

/** WhatsApp's own root key, as Baileys carries it. */
const LIVE_ROOT_KEY = WA_CERT_DETAILS.PUBLIC_KEY.toString('hex');

let trusted: string | undefined;

/**
 * Makes this process verify what servers sign, and trust exactly one root key. Replaces the operations of Baileys'
 * exported `Curve`, whose `verify` accepts every well-formed signature (libsignal 6 returns what Baileys expects it to
 * throw), by those of `whatsapp-rust-bridge`.
 * @param rootKey hex of the 32-byte root key; WhatsApp's own when absent.
 * @throws Error when the process trusts another root already, or when a forged signature still passes.
 */
export function installTrust(rootKey: string = LIVE_ROOT_KEY): void {
  const root = rootKey.toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(root)) throw new Error('the root key must be 32 bytes in hex');
  if (trusted === root) return;
  if (trusted !== undefined) throw new Error('this process trusts another root key already');
  Object.assign(Curve, verifyingCurve());
  WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(root, 'hex');
  assertForgeriesFail(Curve);
  trusted = root;
}

/**
 * Tries genuine and forged signatures on the operations that Baileys calls.
 * @throws Error when one is judged wrongly.
 */
export function assertForgeriesFail(curve: Pick<typeof Curve, 'generateKeyPair' | 'sign' | 'verify'>): void {
  const signer = curve.generateKeyPair();
  const stranger = curve.generateKeyPair();
  const message = Buffer.from('signed by the signer');
  const genuine = Buffer.from(curve.sign(signer.private, message));
  const altered = Buffer.from(genuine);
  altered.writeUInt8(altered.readUInt8(0) ^ 1, 0);
  const verdicts = [
    curve.verify(signer.public, message, genuine),
    !curve.verify(signer.public, message, altered),
    !curve.verify(signer.public, message, Buffer.alloc(64, 7)),
    !curve.verify(signer.public, Buffer.from('something else'), genuine),
    !curve.verify(stranger.public, message, genuine),
  ];
  if (verdicts.includes(false))
    throw new Error('signatures are not verified in this process: refusing to connect');
}

/**
 * Baileys' `Curve` on the bridge. Public keys are 32 bytes going out and 32 or 33 coming in, as in Baileys' own.
 *
 * Baileys checks the certificate chain with two calls of `verify` (leaf, then intermediate under the root) right after
 * the agreement with the server's static key, all in one synchronous function. That is how the call under the root
 * finds the rest of the chain; called in any other order it refuses.
 */
function verifyingCurve(): typeof Curve {
  let agreedWith: Uint8Array = new Uint8Array();
  let verifiedBefore: Uint8Array = new Uint8Array();
  return {
    generateKeyPair() {
      const { pubKey, privKey } = generateKeyPair();
      return { private: Buffer.from(privKey), public: Buffer.from(pubKey.subarray(1)) };
    },
    sharedKey(privateKey, publicKey) {
      agreedWith = publicKey;
      return Buffer.from(calculateAgreement(generateSignalPubKey(publicKey), privateKey));
    },
    sign: (privateKey, message) => calculateSignature(privateKey, message),
    verify(publicKey, message, signature) {
      const leafDetails = verifiedBefore;
      verifiedBefore = message;
      if (!isSignedBy(publicKey, message, signature)) return false;
      if (!WA_CERT_DETAILS.PUBLIC_KEY.equals(publicKey)) return true;
      return isChainConsistent({
        leafDetails,
        intermediateDetails: message,
        serverKey: agreedWith,
        now: new Date(),
      });
    },
  };
}

function isSignedBy(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    return verifySignature(generateSignalPubKey(publicKey), message, signature);
  } catch {
    // Keys and signatures of a wrong length throw.
    return false;
  }
}
