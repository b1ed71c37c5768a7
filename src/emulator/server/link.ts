import { admitCompanion, isAdmissionAccepted, type SignedAdmission } from '../crypto/account-signature.ts';
import { generateKeyPair } from '../crypto/curve.ts';
import { announceDevice } from '../network/device-list.ts';
import { serverSeconds } from '../network/emulation.ts';
import { jidOf } from '../network/identity.ts';
import type { Phone } from '../network/phone.ts';
import type { Realm } from '../network/realm.ts';
import type { LinkedDevice } from '../network/realms.ts';
import { SERVER } from '../wire/jid.ts';
import { bytesOf, child, element } from '../wire/node.ts';
import { emulatorErrors } from './emulator.errors.ts';
import type { Registration } from './registration.ts';
import { type ServerContext, streamError } from './session.ts';
import { unlink } from './unlink.ts';

/** Longest wait for the client's answer to its admission. */
const ANSWER_MS = 10_000;
const RESTART_REQUIRED = 515;

/** A pairing on its way: who links whom, and with which secret. */
export interface PairingAttempt {
  realm: Realm;
  phone: Phone;
  registration: Registration;
  /** What phone and client agreed on, over the QR code or with the pairing code. */
  advSecret: Uint8Array;
}

/** Ids that the phone keeps for the companion. */
interface Reserved {
  id: number;
  keyIndex: number;
}

/**
 * Makes a waiting client a companion of the phone: admits it, checks its answer and sends it off to log in.
 * @throws `emulator.pairing_refused` when the client does not accept.
 */
export async function link(context: ServerContext, attempt: PairingAttempt): Promise<LinkedDevice> {
  const { phone, registration } = attempt;
  const { candidate, connection } = registration;
  const reserved = phone.reserveDevice();
  const admission = admit(context, attempt, reserved);
  const answer = registration.wait('id:pair-success', ANSWER_MS);
  offer(context, attempt, admission, reserved);
  const signed = bytesOf(child(child(await answer, 'pair-device-sign'), 'device-identity'));
  if (!signed || !isAdmissionAccepted(signed, admission, candidate.identity, phone.keys.identity.publicKey)) {
    throw emulatorErrors.pairingRefused();
  }
  const former = context.realms.findByNoiseKey(candidate.noiseKey);
  if (former) unlink(context, former);
  const linked = enter(context, attempt, reserved);
  connection.end(streamError({ code: RESTART_REQUIRED }));
  return linked;
}

function admit(
  { emulation }: ServerContext,
  { phone, registration, advSecret }: PairingAttempt,
  { keyIndex }: Reserved,
): SignedAdmission {
  const target = { realm: phone.identity.realm, phone: phone.number };
  return admitCompanion({
    phone: phone.keys.identity,
    companionIdentity: registration.candidate.identity,
    advSecret,
    keyIndex,
    rawId: phone.keys.registrationId,
    timestamp: Number(serverSeconds(emulation)),
    forgedSigner: emulation.faults.strike('forged_account_signature', target) && generateKeyPair(),
  });
}

function offer(
  { emulation }: ServerContext,
  { phone, registration }: PairingAttempt,
  { blob }: SignedAdmission,
  { id }: Reserved,
): void {
  const jid = jidOf(phone.identity, 'pn', id);
  const lid = jidOf(phone.identity, 'lid', id);
  const success = element('pair-success', {}, [
    element('device-identity', {}, blob),
    element('biz', { name: phone.record.name }),
    element('platform', { name: 'android' }),
    element('device', { jid, lid }),
  ]);
  const t = serverSeconds(emulation);
  const attributes = { from: SERVER, type: 'set', id: 'pair-success', xmlns: 'md', t };
  registration.connection.send(element('iq', attributes, [success]));
}

function enter(
  { emulation, realms }: ServerContext,
  { realm, phone, registration }: PairingAttempt,
  reserved: Reserved,
): LinkedDevice {
  const device = phone.addDevice({
    ...registration.candidate,
    ...reserved,
    linkedAt: emulation.now().toISOString(),
    banned: false,
    bootstrapped: false,
    preKeysTaken: 0,
  });
  device.save();
  const linked = { realm, phone, device };
  realms.register(linked);
  emulation.counters.pairings++;
  announceDevice(emulation, linked, 'add');
  return linked;
}
