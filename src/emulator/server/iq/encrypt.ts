import { createHash } from 'node:crypto';
import type { Device, KeyBundle } from '../../network/device.ts';
import { serverSeconds } from '../../network/emulation.ts';
import { warnOfFewPreKeys } from '../../network/pre-key-warning.ts';
import { parseJid } from '../../wire/jid.ts';
import { bigEndian, bytesOf, child, children, element, numberOf, type WireNode } from '../../wire/node.ts';
import type { Session } from '../session.ts';
import type { IqAnswer } from './iq-answer.ts';

const KEY_TYPE = Buffer.from([5]);

/** Answers queries about Signal keys: a companion's own, and those of others. */
export function answerEncrypt(session: Session, iq: WireNode): IqAnswer {
  const { device } = session;
  if (iq.attrs['type'] === 'get') {
    if (child(iq, 'count')) return [element('count', { value: device.preKeys.size })];
    if (child(iq, 'digest')) return [digestOf(device)];
    const key = child(iq, 'key');
    return key && keysOf(session, key);
  }
  const rotated = child(child(iq, 'rotate'), 'skey');
  if (rotated) return replaceSignedPreKey(device, rotated);
  return child(iq, 'list') ? upload(device, iq) : undefined;
}

function keysOf(session: Session, key: WireNode): IqAnswer {
  const target = { realm: session.realm.id, phone: session.phone.number, device: session.device.id };
  if (session.emulation.faults.strike('drop_query', target, ({ query }) => query === 'keys'))
    return 'silence';
  return [
    element(
      'list',
      {},
      children(key, 'user').map(({ attrs: { jid } }) => userOf(session, jid)),
    ),
  ];
}

function userOf({ realm, emulation }: Session, jid: string | undefined): WireNode {
  const address = parseJid(jid);
  const phone = realm.resolve(address);
  const isCompanion = address !== undefined && address.device > 0;
  const companion = isCompanion ? phone?.devices.get(address.device) : undefined;
  if (!phone?.record.behavior.on_whatsapp || (isCompanion && !companion)) {
    return element('user', { jid }, [element('error', { code: 404, text: 'item-not-found' })]);
  }
  const bundle = (companion ?? phone).takeKeyBundle();
  if (companion) warnOfFewPreKeys(emulation, companion);
  const target = { realm: realm.id, phone: phone.number, device: address?.device ?? 0 };
  const forged = emulation.faults.strike('forged_prekey_signature', target) !== undefined;
  return element('user', { jid, t: serverSeconds(emulation) }, bundleElements(bundle, forged));
}

function bundleElements(
  { registrationId, identity, preKey, signedPreKey }: KeyBundle,
  forged: boolean,
): WireNode[] {
  const signature = Buffer.from(signedPreKey.signature);
  if (forged) signature[0] = (signature[0] ?? 0) ^ 1;
  return [
    element('registration', {}, bigEndian(registrationId, 4)),
    element('type', {}, KEY_TYPE),
    element('identity', {}, identity),
    ...(preKey ? [element('key', {}, keyElements(preKey))] : []),
    element('skey', {}, [...keyElements(signedPreKey), element('signature', {}, signature)]),
  ];
}

function keyElements({ id, publicKey }: { id: number; publicKey: Uint8Array }): WireNode[] {
  return [element('id', {}, bigEndian(id, 3)), element('value', {}, publicKey)];
}

function upload(device: Device, iq: WireNode): IqAnswer {
  const keys = children(child(iq, 'list'), 'key').flatMap((key) => {
    const id = numberOf(child(key, 'id'));
    const publicKey = bytesOf(child(key, 'value'));
    return id !== undefined && publicKey?.length === 32 ? [{ id, publicKey }] : [];
  });
  const identity = bytesOf(child(iq, 'identity'));
  if (!identity?.equals(device.record.identity)) return { error: 406, text: 'not-acceptable' };
  const skey = child(iq, 'skey');
  if (skey) replaceSignedPreKey(device, skey);
  device.addPreKeys(keys);
  return [];
}

function replaceSignedPreKey(device: Device, skey: WireNode): IqAnswer {
  const id = numberOf(child(skey, 'id'));
  const publicKey = bytesOf(child(skey, 'value'));
  const signature = bytesOf(child(skey, 'signature'));
  if (id === undefined || !publicKey || !signature) return { error: 400, text: 'bad-request' };
  device.record.signedPreKey = { id, publicKey, signature };
  device.save();
  return [];
}

/** What the server has of the companion's keys, without the list of one-time keys: clients compare the rest. */
function digestOf({ record }: Device): WireNode {
  const hash = createHash('sha1').update(record.identity).update(record.signedPreKey.publicKey).digest();
  return element('digest', {}, [
    element('registration', {}, bigEndian(record.registrationId, 4)),
    element('type', {}, KEY_TYPE),
    element('identity', {}, record.identity),
    element('skey', {}, [element('id', {}, bigEndian(record.signedPreKey.id, 3))]),
    element('list'),
    element('hash', {}, hash),
  ]);
}
