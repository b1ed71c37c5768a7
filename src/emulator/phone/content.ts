import { randomInt } from 'node:crypto';
import { proto } from '@whiskeysockets/baileys/WAProto/index.js';

/** What a message says, as far as a virtual phone reads it. */
export interface ReadContent {
  kind: string;
  text: string;
  quoted: ReadQuote | undefined;
}

/** The message that a reply shows above its own text. */
interface ReadQuote {
  id: string;
  /** Address of who wrote it. */
  author: string | undefined;
  text: string | undefined;
}

export interface QuotedText {
  id: string;
  /** Bare address of the quoted message's author. */
  author: string;
  text: string;
}

const LONGEST_PADDING = 16;
/** Fields beside the one that says what kind of message it is. */
const ACCOMPANYING = new Set(['messageContextInfo', 'senderKeyDistributionMessage']);

/** Serializes a message and pads it as WhatsApp does: 1 to 16 bytes, each the length of the padding. */
export function serialize(message: proto.IMessage): Uint8Array {
  const padding = randomInt(1, LONGEST_PADDING + 1);
  return Buffer.concat([proto.Message.encode(message).finish(), Buffer.alloc(padding, padding)]);
}

/**
 * Reads a padded message.
 * @throws Error when it is none.
 */
export function parse(plaintext: Uint8Array): proto.Message {
  const padding = plaintext.at(-1) ?? 0;
  if (padding === 0 || padding > plaintext.length) throw new Error('message is not padded');
  return proto.Message.decode(plaintext.subarray(0, plaintext.length - padding));
}

/** A text, quoting another message where one is given. */
export function textMessage(text: string, quoted?: QuotedText): proto.IMessage {
  if (!quoted) return { conversation: text };
  const contextInfo = {
    stanzaId: quoted.id,
    participant: quoted.author,
    quotedMessage: { conversation: quoted.text },
  };
  return { extendedTextMessage: { text, contextInfo } };
}

/** What a message says. */
export function read(message: proto.IMessage): ReadContent {
  const { conversation, extendedTextMessage } = message;
  if (typeof conversation === 'string' && conversation !== '') {
    return { kind: 'text', text: conversation, quoted: undefined };
  }
  if (extendedTextMessage) {
    const quoted = readQuote(extendedTextMessage.contextInfo ?? {});
    return { kind: 'text', text: extendedTextMessage.text ?? '', quoted };
  }
  const fields = Object.entries(message).filter(([, value]) => value !== null && value !== undefined);
  const kind = fields.map(([name]) => name).find((name) => !ACCOMPANYING.has(name)) ?? 'empty';
  return { kind, text: '', quoted: undefined };
}

function readQuote({ stanzaId, participant, quotedMessage }: proto.IContextInfo): ReadQuote | undefined {
  if (typeof stanzaId !== 'string') return undefined;
  const text = quotedMessage?.conversation ?? quotedMessage?.extendedTextMessage?.text;
  return { id: stanzaId, author: participant ?? undefined, text: text ?? undefined };
}
