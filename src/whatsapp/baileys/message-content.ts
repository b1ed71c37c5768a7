import { randomBytes } from 'node:crypto';
import { getContentType, normalizeMessageContent, type proto } from '@whiskeysockets/baileys';
import type { InboundMessage, OutgoingMessage, QuotedMessage } from '../socket.ts';
import { lidJid, phoneJid } from './jid.ts';

/** The protobuf of a message to send, as Baileys makes it from a text: without link preview. */
export function toProto(
  { content, quoted }: Pick<OutgoingMessage, 'content' | 'quoted'>,
  selfJid: string,
): proto.IMessage {
  const quotes = quoted === undefined ? {} : { contextInfo: contextOf(quoted, selfJid) };
  return {
    extendedTextMessage: { text: content.body, ...quotes },
    // From this secret Baileys makes the token by which a recipient can report the message.
    messageContextInfo: { messageSecret: randomBytes(32) },
  };
}

function contextOf(quoted: QuotedMessage, selfJid: string): proto.IContextInfo {
  const { author } = quoted;
  const participant = quoted.fromMe
    ? selfJid
    : author?.phone !== undefined
      ? phoneJid(author.phone)
      : author?.lid !== undefined
        ? lidJid(author.lid)
        : undefined;
  return {
    stanzaId: quoted.wireId,
    ...(participant === undefined ? {} : { participant }),
    quotedMessage: quoted.content === undefined ? {} : { conversation: quoted.content.body },
  };
}

/** Parts of a message that say nothing to a person: keys, syncs, deletions and the like. */
const SILENT = ['protocolMessage', 'senderKeyDistributionMessage', 'messageContextInfo', 'keepInChatMessage'];

/** What a decrypted message says, or `undefined` where it is none that a person wrote. */
export function fromProto(
  message: proto.IMessage | null | undefined,
): Pick<InboundMessage, 'content' | 'quotedWireId'> | undefined {
  const inner = normalizeMessageContent(message);
  const kind = getContentType(inner);
  if (!inner || kind === undefined || SILENT.includes(kind)) return undefined;
  const part: unknown = inner[kind];
  const quotedWireId = quotedIn(part);
  const quotes = quotedWireId === undefined ? {} : { quotedWireId };
  const body = inner.conversation || inner.extendedTextMessage?.text;
  if (body) return { content: { type: 'text', body }, ...quotes };
  return { content: { type: 'unsupported', kind: kind.replace(/Message(V\d+)?$/, '') }, ...quotes };
}

function quotedIn(part: unknown): string | undefined {
  if (typeof part !== 'object' || part === null || !('contextInfo' in part)) return undefined;
  const { contextInfo } = part;
  if (typeof contextInfo !== 'object' || contextInfo === null || !('stanzaId' in contextInfo))
    return undefined;
  return typeof contextInfo.stanzaId === 'string' ? contextInfo.stanzaId : undefined;
}
