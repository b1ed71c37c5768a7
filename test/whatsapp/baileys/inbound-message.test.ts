import { type BinaryNode, proto } from '@whiskeysockets/baileys';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ciphertextsOf, isDirect, readMessage } from '../../../src/whatsapp/baileys/inbound-message.ts';
import { readReceipt } from '../../../src/whatsapp/baileys/receipts.ts';

const self = { phone: '491700000001', lid: '1111' };
const base = { id: 'ABC', from: '491700000002@s.whatsapp.net', t: '1700000000', type: 'text' };
const node = (attrs: BinaryNode['attrs'], content: BinaryNode[] = []): BinaryNode => ({
  tag: 'message',
  attrs,
  content,
});
const padded = (message: proto.IMessage) =>
  Buffer.concat([proto.Message.encode(message).finish(), Buffer.from([1])]);
const read = (attrs: BinaryNode['attrs'], message: proto.IMessage) =>
  readMessage(node(attrs), [padded(message)], self);

test('a text by number, with the LID beside it', () => {
  expect(read({ ...base, sender_lid: '2222@lid', notify: 'Bob' }, { conversation: 'hi' })).toEqual({
    wireId: 'ABC',
    chat: { phone: '491700000002', lid: '2222' },
    fromMe: false,
    pushName: 'Bob',
    sentAt: new Date(1_700_000_000_000),
    content: { type: 'text', body: 'hi' },
  });
});

test('a text by LID, with the number beside it', () => {
  const attrs = {
    ...base,
    from: '2222:7@lid',
    addressing_mode: 'lid',
    sender_pn: '491700000002@s.whatsapp.net',
  };
  expect(read(attrs, { conversation: 'hi' })?.chat).toEqual({ phone: '491700000002', lid: '2222' });
});

test('a copy of what the phone wrote belongs to the recipient’s conversation', () => {
  const attrs = {
    ...base,
    from: '491700000001@s.whatsapp.net',
    recipient: '491700000002@s.whatsapp.net',
    recipient_lid: '2222@lid',
  };
  const copy = {
    deviceSentMessage: { destinationJid: attrs.recipient, message: { conversation: 'from the phone' } },
  };
  expect(read(attrs, copy)).toMatchObject({
    fromMe: true,
    chat: { phone: '491700000002', lid: '2222' },
    content: { body: 'from the phone' },
  });
});

test('a note to self is in the conversation with oneself', () => {
  expect(read({ ...base, from: '491700000001@s.whatsapp.net' }, { conversation: 'note' })?.chat).toEqual(
    self,
  );
});

test('replies name what they quote, and disappearing messages are opened', () => {
  const reply = { extendedTextMessage: { text: 'yes', contextInfo: { stanzaId: 'Q1' } } };
  expect(read(base, { ephemeralMessage: { message: reply } })).toMatchObject({
    quotedWireId: 'Q1',
    content: { body: 'yes' },
  });
});

test.each<[string, proto.IMessage]>([
  ['image', { imageMessage: { caption: 'look' } }],
  ['poll', { pollCreationMessage: { name: 'which?' } }],
  ['reaction', { reactionMessage: { text: '👍' } }],
])('%s is reported as not supported yet', (kind, message) => {
  const content = read(base, message)?.content;
  expect(content).toMatchObject({ type: 'unsupported', kind: expect.stringContaining(kind) });
});

test.each<[string, proto.IMessage]>([
  ['a deletion', { protocolMessage: { type: proto.Message.ProtocolMessage.Type.REVOKE } }],
  ['a sender key', { senderKeyDistributionMessage: { groupId: 'g' } }],
  ['nothing', {}],
])('%s is no message', (_, message) => {
  expect(read(base, message)).toBeUndefined();
});

test('what the own phone sends to its devices is no message', () => {
  expect(read({ ...base, category: 'peer' }, { conversation: 'hi' })).toBeUndefined();
});

test('groups, stories and channels are left to Baileys', () => {
  expect(isDirect(node({ ...base, from: '123@g.us' }))).toBe(false);
  expect(isDirect(node({ ...base, from: 'status@broadcast' }))).toBe(false);
  expect(isDirect(node({ ...base, from: '2222@lid' }))).toBe(true);
});

test('bytes that are no message report nothing, whatever they are', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(() => readMessage(node(base), [bytes], self)).not.toThrow();
    }),
  );
});

test('only ciphertexts between two devices are opened here', () => {
  const enc = (type: string, content?: Uint8Array): BinaryNode => ({
    tag: 'enc',
    attrs: { type, v: '2' },
    ...(content && { content }),
  });
  const bytes = Buffer.from('x');
  expect(
    ciphertextsOf(
      node(base, [enc('pkmsg', bytes), enc('skmsg', bytes), enc('msg'), { tag: 'meta', attrs: {} }]),
    ),
  ).toEqual([{ type: 'pkmsg', bytes }]);
});

const receipt = (attrs: BinaryNode['attrs'], items: string[] = []): BinaryNode => ({
  tag: 'receipt',
  attrs: { id: 'A', from: '491700000002@s.whatsapp.net', t: '1700000000', ...attrs },
  content: [{ tag: 'list', attrs: {}, content: items.map((id) => ({ tag: 'item', attrs: { id } })) }],
});

test.each([
  [{}, 'delivered'],
  [{ type: 'inactive' }, 'delivered'],
  [{ type: 'read' }, 'read'],
  [{ type: 'played' }, 'played'],
])('receipt %j is %s, for every id in its list', (attrs, status) => {
  expect(readReceipt(receipt(attrs, ['B', 'C']), self)).toEqual({
    wireIds: ['A', 'B', 'C'],
    from: { phone: '491700000002' },
    status,
    at: new Date(1_700_000_000_000),
  });
});

test.each(['retry', 'sender', 'peer_msg', 'hist_sync', 'read-self', 'server-error'])(
  'a %s receipt reports nothing',
  (type) => {
    expect(readReceipt(receipt({ type }), self)).toBeUndefined();
  },
);

test('receipts of own devices report nothing', () => {
  expect(readReceipt(receipt({ from: '491700000001:4@s.whatsapp.net' }), self)).toBeUndefined();
  expect(readReceipt(receipt({ from: '1111:4@lid' }), self)).toBeUndefined();
});
