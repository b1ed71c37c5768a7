import { deliverMessage } from '../network/deliver-message.ts';
import type { KeyBundle } from '../network/device.ts';
import { serverSeconds } from '../network/emulation.ts';
import { jidOf } from '../network/identity.ts';
import { parseJid } from '../wire/jid.ts';
import { bigEndian, bytesOf, child, element, numberOf, type WireNode } from '../wire/node.ts';
import type { PhoneContext } from './phone-context.ts';
import { encryptFor, sendCopy } from './send.ts';

/** Requests for one message, as the clients do. */
const MOST_RETRIES = 5;
const KEY_TYPE = Buffer.from([5]);

/** Asks the author's device to send a message again that the phone could not open. */
export function requestRetry(context: PhoneContext, stanza: WireNode, author: string): void {
  const { emulation, phone, realm, retries } = context;
  emulation.counters.undecryptable++;
  const from = parseJid(stanza.attrs['from']);
  const { id, t } = stanza.attrs;
  const device = realm.find(author)?.devices.get(from?.device ?? 0);
  const count = (retries.get(`${author}/${id}`) ?? 0) + 1;
  if (!device || count > MOST_RETRIES) return;
  retries.set(`${author}/${id}`, count);
  const attributes = {
    from: jidOf(phone.identity, stanza.attrs['addressing_mode'] === 'lid' ? 'lid' : 'pn'),
    id,
    type: 'retry',
    t: serverSeconds(emulation),
    ...(stanza.attrs['recipient'] !== undefined && { recipient: stanza.attrs['recipient'] }),
  };
  const content = [
    element('retry', { count, id, t, v: 1 }),
    element('registration', {}, bigEndian(phone.keys.registrationId, 4)),
    ...(count > 1 ? [keysElement(phone.takeKeyBundle())] : []),
  ];
  device.deliver(element('receipt', attributes, content));
}

/** Sends a message again to a companion that could not open it, in a new session. */
export async function answerRetry(context: PhoneContext, receipt: WireNode): Promise<void> {
  const { phone, realm, peerMessages, emulation } = context;
  const from = parseJid(receipt.attrs['from']);
  const device = from && realm.resolve(from)?.devices.get(from.device);
  const id = receipt.attrs['id'];
  const count = Number(child(receipt, 'retry')?.attrs['count'] ?? 1);
  if (!device || id === undefined || count > MOST_RETRIES) return;
  const bundle = bundleIn(receipt) ?? device.takeKeyBundle();
  await context.sessions.build({ number: device.owner.number, device: device.id }, bundle);
  const entry = phone.inbox.find(phone.number, id);
  if (entry) return sendCopy(context, device, entry.message, count);
  const peerMessage = peerMessages.get(id);
  if (!peerMessage) return;
  const enc = await encryptFor(context, device, peerMessage, count);
  const attributes = {
    from: jidOf(phone.identity),
    id,
    t: serverSeconds(emulation),
    type: 'text',
    category: 'peer',
  };
  deliverMessage(emulation, device, element('message', attributes, [enc]));
}

/** The keys that come with a retry receipt from its second time on. */
function bundleIn(receipt: WireNode): KeyBundle | undefined {
  const keys = child(receipt, 'keys');
  const skey = child(keys, 'skey');
  const registrationId = numberOf(child(receipt, 'registration'));
  const identity = bytesOf(child(keys, 'identity'));
  const id = numberOf(child(skey, 'id'));
  const publicKey = bytesOf(child(skey, 'value'));
  const signature = bytesOf(child(skey, 'signature'));
  if (registrationId === undefined || id === undefined || !identity || !publicKey || !signature)
    return undefined;
  const preKeyId = numberOf(child(child(keys, 'key'), 'id'));
  const preKey = bytesOf(child(child(keys, 'key'), 'value'));
  return {
    registrationId,
    identity,
    signedPreKey: { id, publicKey, signature },
    ...(preKey && preKeyId !== undefined && { preKey: { id: preKeyId, publicKey: preKey } }),
  };
}

function keysElement({ identity, preKey, signedPreKey }: KeyBundle): WireNode {
  const key = ({ id, publicKey }: { id: number; publicKey: Uint8Array }) => [
    element('id', {}, bigEndian(id, 3)),
    element('value', {}, publicKey),
  ];
  return element('keys', {}, [
    element('type', {}, KEY_TYPE),
    element('identity', {}, identity),
    ...(preKey ? [element('key', {}, key(preKey))] : []),
    element('skey', {}, [...key(signedPreKey), element('signature', {}, signedPreKey.signature)]),
  ]);
}
