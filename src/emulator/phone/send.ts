import { deliverMessage } from '../network/deliver-message.ts';
import type { Device } from '../network/device.ts';
import { serverSeconds } from '../network/emulation.ts';
import { type Addressing, jidOf } from '../network/identity.ts';
import type { StoredMessage } from '../network/inbox.ts';
import { warnOfFewPreKeys } from '../network/pre-key-warning.ts';
import { element, type WireNode } from '../wire/node.ts';
import { type QuotedText, serialize, textMessage } from './content.ts';
import { newMessageId, type PhoneContext } from './phone-context.ts';
import type { Ciphertext } from './signal-sessions.ts';

export interface OutgoingText {
  /** Digits. */
  to: string;
  body: string;
  quotedId?: string | undefined;
  /** How the phone names itself to the recipient. */
  addressing?: Addressing | undefined;
}

/** Writes a text to another number of the realm. Resolves with the message's id once every device has its copy queued. */
export async function sendText(context: PhoneContext, text: OutgoingText): Promise<string> {
  const { emulation, phone } = context;
  const message: StoredMessage = {
    id: newMessageId(),
    from: phone.number,
    to: text.to,
    direction: 'out',
    kind: 'text',
    text: text.body,
    receivedAt: emulation.now().toISOString(),
    encryption: 'none',
    duplicates: 0,
    fromDevice: 0,
    addressing: text.addressing ?? 'pn',
    ...(text.quotedId !== undefined && { quotedId: text.quotedId }),
  };
  await context.lane.run(async () => {
    phone.inbox.add(message);
    await fanOut(context, message);
  });
  return message.id;
}

async function fanOut(context: PhoneContext, message: StoredMessage): Promise<void> {
  const target = context.realm.phone(message.to);
  const plain = serialize(messageOf(context, message));
  for (const device of target.devices.values()) await sendCopy(context, device, message);
  if (target === context.phone) return;
  target.deliver(stanza(context, message, element('plaintext', {}, plain)));
  for (const device of context.phone.devices.values()) await sendCopy(context, device, message);
}

/** Encrypts one device's copy of a stored message and hands it over; `retry` counts the device's requests for it. */
export async function sendCopy(
  context: PhoneContext,
  device: Device,
  message: StoredMessage,
  retry?: number,
): Promise<void> {
  const target = context.realm.phone(message.to);
  const content = messageOf(context, message);
  const isOwn = device.owner.number === context.phone.number;
  const destinationJid = jidOf(target.identity);
  const plaintext = isOwn ? { deviceSentMessage: { destinationJid, message: content } } : content;
  const enc = await encryptFor(context, device, serialize(plaintext), retry);
  deliverMessage(context.emulation, device, stanza(context, message, enc, isOwn));
}

/** Encrypts bytes for a companion as an `enc` element. */
export async function encryptFor(
  context: PhoneContext,
  device: Device,
  plaintext: Uint8Array,
  retry?: number,
): Promise<WireNode> {
  const peer = { number: device.owner.number, device: device.id };
  const sealed: Ciphertext = await context.sessions.encrypt(peer, plaintext, () => {
    const bundle = device.takeKeyBundle();
    warnOfFewPreKeys(context.emulation, device);
    return bundle;
  });
  return element('enc', { v: 2, type: sealed.type, count: retry }, sealed.body);
}

function stanza(
  { emulation, phone, realm }: PhoneContext,
  { id, addressing, to }: StoredMessage,
  content: WireNode,
  isOwn = false,
): WireNode {
  const naming =
    addressing === 'lid'
      ? { addressing_mode: 'lid', sender_pn: jidOf(phone.identity) }
      : { sender_lid: jidOf(phone.identity, 'lid') };
  const attributes = {
    from: jidOf(phone.identity, isOwn ? 'pn' : addressing),
    id,
    t: serverSeconds(emulation),
    type: 'text',
    notify: phone.record.name,
    ...(isOwn ? { recipient: jidOf(realm.phone(to).identity) } : naming),
  };
  return element('message', attributes, [content]);
}

function messageOf(context: PhoneContext, { text, quotedId, to }: StoredMessage) {
  return textMessage(text, quotedId === undefined ? undefined : quote(context, quotedId, to));
}

function quote({ phone, realm }: PhoneContext, id: string, partner: string): QuotedText {
  const theirs = phone.inbox.find(partner, id);
  const text = (theirs ?? phone.inbox.find(phone.number, id))?.message.text ?? '';
  return { id, author: jidOf(theirs ? realm.phone(partner).identity : phone.identity), text };
}
