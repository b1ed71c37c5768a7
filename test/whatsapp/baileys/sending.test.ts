import { expect, test } from 'vitest';
import { SendError } from '../../../src/whatsapp/socket.ts';
import { emulated, freshNumber } from '../support/emulated.ts';
import { text } from '../support/linked-session.ts';

const world = emulated();

test('a message is sent once the server acknowledged it, and not before', async () => {
  const { socket } = await world.linked();
  const to = freshNumber();
  await socket.send(text(to, 'first'));
  await world.control.fault({ kind: 'delay_acks', ms: 300 });
  const began = Date.now();
  await socket.send(text(to, 'second'));
  expect(Date.now() - began).toBeGreaterThan(250);
});

test.each([463, 479, 421])('a refusal carries WhatsApp’s code: %i', async (code) => {
  const { socket } = await world.linked();
  await world.control.fault({ kind: 'nack', code, times: 1 });
  await expect(socket.send(text(freshNumber(), 'no'))).rejects.toMatchObject({
    failure: 'refused',
    wireCode: code,
  });
});

test('a message whose ack got lost is unacknowledged, and its retry is not a second message', async () => {
  const { socket } = await world.linked({ ackTimeoutMs: 5_000 });
  const to = freshNumber();
  const message = text(to, 'once');
  await world.control.fault({ kind: 'drop_ack', times: 1 });
  await expect(socket.send(message)).rejects.toMatchObject({ failure: 'unacknowledged' });
  await socket.send(message);
  expect(await world.arrived(to, 1)).toMatchObject([{ id: message.wireId, text: 'once' }]);
});

test.each(['usync', 'keys'])('nothing leaves while the answer to a %s query is missing', async (query) => {
  const { socket } = await world.linked({ ackTimeoutMs: 5_000 });
  const to = freshNumber();
  const message = text(to, 'whole');
  await world.control.fault({ kind: 'drop_query', query, times: 1 });
  await expect(socket.send(message)).rejects.toMatchObject({ failure: 'not_sent' });
  await socket.send(message);
  expect(await world.arrived(to, 1)).toMatchObject([{ text: 'whole', duplicates: 0 }]);
  expect((await world.control.stats())['empty_messages'] ?? 0).toBe(0);
});

test('messages are put on the wire in call order, and every one arrives', async () => {
  const { socket } = await world.linked();
  const to = freshNumber();
  const bodies = Array.from({ length: 60 }, (_, i) => `number ${i}`);
  await Promise.all(bodies.map((body) => socket.send(text(to, body))));
  const inbox = await world.arrived(to, bodies.length);
  expect(inbox.map(({ text: body }) => body)).toEqual(bodies);
});

test('a loop of sends leaves the event loop to others', async () => {
  const { socket } = await world.linked();
  const to = freshNumber();
  await socket.send(text(to, 'first'));
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  await Promise.all(Array.from({ length: 100 }, (_, i) => socket.send(text(to, `${i}`))));
  clearInterval(timer);
  expect(turns).toBeGreaterThan(20);
});

test('a known contact costs no question, not even after a restart', async () => {
  const { session, socket } = await world.linked();
  const to = freshNumber();
  await socket.send(text(to, 'first'));
  await world.arrived(to, 1);
  await socket.close();
  await session.open();
  // From here on, whoever asks gets no answer.
  await world.control.fault({ kind: 'drop_query', query: 'usync' });
  await world.control.fault({ kind: 'drop_query', query: 'keys' });
  for (let i = 0; i < 5; i++) await session.socket?.send(text(to, `later ${i}`));
  await world.arrived(to, 6);
});

test('sends by LID, and completes the identity of whom it looked up', async () => {
  const { socket } = await world.linked();
  const phone = freshNumber();
  const { lid } = await world.control.createPhone({ phone });
  const absent = freshNumber();
  await world.control.change(absent, { behavior: { on_whatsapp: false } });
  const found = await socket.lookUp([phone, absent]);
  expect(found.get(absent)).toBeNull();
  expect(found.get(phone)).toEqual({ phone, lid: lid.replace('@lid', '') });
  await socket.send({ ...text(phone, 'by lid'), to: { lid: found.get(phone)?.lid ?? '' } });
  expect(await world.arrived(phone, 1)).toMatchObject([{ text: 'by lid' }]);
});

test('a lost look-up says nothing about the number', async () => {
  const { socket } = await world.linked({ ackTimeoutMs: 2_000 });
  await world.control.fault({ kind: 'drop_query', query: 'usync', times: 1 });
  await expect(socket.lookUp([freshNumber()])).rejects.toThrow('no answer');
});

test('a reply quotes the message', async () => {
  const { session, socket, phone } = await world.linked();
  const friend = freshNumber();
  await world.control.write(friend, phone, 'question');
  await expect.poll(() => session.messages.length).toBe(1);
  const question = session.messages[0];
  const quoted = {
    wireId: question?.wireId ?? '',
    fromMe: false,
    author: { phone: friend },
    content: { type: 'text', body: 'question' },
  } as const;
  await socket.send({ ...text(friend, 'answer'), quoted });
  expect(await world.arrived(friend, 1)).toMatchObject([{ text: 'answer', quoted_id: question?.wireId }]);
});

test('a message that a device could not open is sent again from the store', async () => {
  const { session, socket } = await world.linked();
  const to = freshNumber();
  await socket.send(text(to, 'first'));
  await world.arrived(to, 1);
  await world.control.fault({ kind: 'corrupt_delivery', times: 1 });
  const message = text(to, 'second');
  session.sent.set(message.wireId, message.content);
  await socket.send(message);
  expect((await world.arrived(to, 2)).map(({ text: body }) => body)).toEqual(['first', 'second']);
});

test('sends after the end are closed', async () => {
  const { socket } = await world.linked();
  await socket.close();
  const refused = await socket.send(text(freshNumber(), 'late')).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(SendError);
  expect(refused).toMatchObject({ failure: 'closed' });
});
