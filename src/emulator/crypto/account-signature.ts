import { createHmac } from 'node:crypto';
import { proto } from '@whiskeysockets/baileys/WAProto/index.js';
import { type CurveKeyPair, sign, verify } from './curve.ts';

/** Domain of the phone's signature over a companion (ADV: "account device verification"). */
const ACCOUNT_PREFIX = Buffer.from([6, 0]);
/** Domain of the companion's signature over its own admission. */
const DEVICE_PREFIX = Buffer.from([6, 1]);

export interface Admission {
  /** The phone's identity, which signs. */
  phone: CurveKeyPair;
  companionIdentity: Uint8Array;
  /** The secret that the companion showed in its QR or agreed on with the code. */
  advSecret: Uint8Array;
  keyIndex: number;
  rawId: number;
  /** Seconds since the epoch. */
  timestamp: number;
  /** Signs with a stranger's key instead of the phone's, while naming the phone's. */
  forgedSigner?: CurveKeyPair | undefined;
}

/** A companion's admission: the blob it gets, and what its answer must sign. */
export interface SignedAdmission {
  /** Serialized `ADVSignedDeviceIdentityHMAC`. */
  blob: Uint8Array;
  /** Serialized `ADVDeviceIdentity`. */
  details: Uint8Array;
}

/** Admits a companion to an account: the phone vouches for its identity key. */
export function admitCompanion(admission: Admission): SignedAdmission {
  const details = proto.ADVDeviceIdentity.encode({
    rawId: admission.rawId,
    timestamp: admission.timestamp,
    keyIndex: admission.keyIndex,
    accountType: proto.ADVEncryptionType.E2EE,
    deviceType: proto.ADVEncryptionType.E2EE,
  }).finish();
  const signer = admission.forgedSigner ?? admission.phone;
  const signed = proto.ADVSignedDeviceIdentity.encode({
    details,
    accountSignatureKey: admission.phone.publicKey,
    accountSignature: sign(
      signer.privateKey,
      Buffer.concat([ACCOUNT_PREFIX, details, admission.companionIdentity]),
    ),
  }).finish();
  const blob = proto.ADVSignedDeviceIdentityHMAC.encode({
    details: signed,
    hmac: createHmac('sha256', admission.advSecret).update(signed).digest(),
    accountType: proto.ADVEncryptionType.E2EE,
  }).finish();
  return { blob, details };
}

/** Whether the companion's answer is signed by the identity that was admitted. */
export function isAdmissionAccepted(
  answer: Uint8Array,
  { details }: SignedAdmission,
  companionIdentity: Uint8Array,
  phoneIdentity: Uint8Array,
): boolean {
  const { deviceSignature } = proto.ADVSignedDeviceIdentity.decode(answer);
  const message = Buffer.concat([DEVICE_PREFIX, details, companionIdentity, phoneIdentity]);
  return verify(companionIdentity, message, deviceSignature ?? Buffer.alloc(0));
}
