import { z } from 'zod';
import type { AccountCipher } from '../../platform/crypto/vault.ts';
import type { InboundMessage, MessageContent } from '../../whatsapp/socket.ts';
import { contentPurpose } from './messages.model.ts';

/** What `messages.content` holds once opened, keyed by type as in the API. */
const storedContent = z.union([
  z.object({ text: z.object({ body: z.string() }) }),
  z.object({ unsupported: z.object({ kind: z.string() }) }),
]);
export type StoredContent = z.infer<typeof storedContent>;

/** Opens a row's content. @throws Error when it was sealed for another message or tampered with. */
export function openContent(sealed: Uint8Array, messageId: string, cipher: AccountCipher): StoredContent {
  return storedContent.parse(JSON.parse(cipher.open(sealed, contentPurpose(messageId)).toString('utf8')));
}

export function sealContent(content: StoredContent, messageId: string, cipher: AccountCipher): Buffer {
  return cipher.seal(Buffer.from(JSON.stringify(content), 'utf8'), contentPurpose(messageId));
}

/** As the WhatsApp port takes it. @throws Error for content that cannot be sent. */
export function toWireContent(content: StoredContent): MessageContent {
  if ('text' in content) return { type: 'text', body: content.text.body };
  throw new Error('content of this kind cannot be sent');
}

/** As stored, from the WhatsApp port. */
export function toStoredContent(content: InboundMessage['content']): StoredContent {
  return content.type === 'text' ? { text: { body: content.body } } : { unsupported: { kind: content.kind } };
}
