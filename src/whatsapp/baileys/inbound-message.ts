import { type BinaryNode, proto, unpadRandomMax16 } from '@whiskeysockets/baileys';
import type { InboundMessage, WhatsAppIdentity } from '../socket.ts';
import { identityOf, isLid, isPerson, parseJid } from './jid.ts';
import { fromProto } from './message-content.ts';

/** This session's own user. */
export type SelfUser = Pick<WhatsAppIdentity, 'phone' | 'lid'>;

/** One encrypted part of a message stanza. */
export interface Ciphertext {
  type: 'pkmsg' | 'msg';
  bytes: Uint8Array;
}

/** Whether the stanza is a message between two people, or from the own phone: those that are taken in here. */
export function isDirect({ attrs }: BinaryNode): boolean {
  return isPerson(attrs['from']) && attrs['id'] !== undefined;
}

/** The parts of a direct message that Signal must open, in the order to open them. */
export function ciphertextsOf(node: BinaryNode): Ciphertext[] {
  if (!Array.isArray(node.content)) return [];
  return node.content.flatMap(({ tag, attrs, content }) => {
    const type = attrs['type'];
    return tag === 'enc' && (type === 'pkmsg' || type === 'msg') && content instanceof Uint8Array
      ? [{ type, bytes: content }]
      : [];
  });
}

/** Number and LID of the sender, as far as the stanza names them. */
export function senderOf({ attrs }: BinaryNode): WhatsAppIdentity {
  return identityOf(attrs['from'], attrs['sender_pn'], attrs['sender_lid'], attrs['peer_recipient_pn']);
}

/** Number and LID of the other end of the conversation, as far as the stanza names them. */
export function chatOf(node: BinaryNode, self: SelfUser): WhatsAppIdentity {
  if (!isFromMe(node, self)) return senderOf(node);
  const { attrs } = node;
  const recipient = identityOf(
    attrs['recipient'],
    attrs['recipient_pn'],
    attrs['recipient_lid'],
    attrs['peer_recipient_pn'],
    attrs['peer_recipient_lid'],
  );
  return recipient.phone === undefined && recipient.lid === undefined ? self : recipient;
}

/** Whether this session's own user wrote the message, on the phone or on another linked device. */
export function isFromMe({ attrs }: BinaryNode, self: SelfUser): boolean {
  const user = parseJid(attrs['from'])?.user;
  return user !== undefined && user === (isLid(attrs['from']) ? self.lid : self.phone);
}

/**
 * What an opened message reports.
 * @param plaintexts of its parts
 * @returns `undefined` for what is not a message to a person: keys, history, synchronisation, or bytes that are no
 *   message at all
 */
export function readMessage(
  node: BinaryNode,
  plaintexts: readonly Uint8Array[],
  self: SelfUser,
): InboundMessage | undefined {
  const { id, category, notify, t } = node.attrs;
  if (id === undefined || category === 'peer') return undefined;
  const said = plaintexts.map(decode).find((part) => part !== undefined);
  if (said === undefined) return undefined;
  const fromMe = isFromMe(node, self);
  return {
    wireId: id,
    chat: chatOf(node, self),
    fromMe,
    ...(notify === undefined || fromMe ? {} : { pushName: notify }),
    sentAt: new Date(Number(t) * 1000),
    ...said,
  };
}

function decode(plaintext: Uint8Array): ReturnType<typeof fromProto> {
  try {
    const message = proto.Message.decode(unpadRandomMax16(plaintext));
    return fromProto(message.deviceSentMessage?.message ?? message);
  } catch {
    return undefined;
  }
}
