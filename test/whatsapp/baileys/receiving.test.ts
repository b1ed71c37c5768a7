import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { until } from '../../emulator/support/until.ts';
import { emulated, freshNumber } from '../support/emulated.ts';
import { text } from '../support/linked-session.ts';

const world = emulated();
const bodiesOf = (session: { messages: { content: { type: string; body?: string } }[] }) =>
  session.messages.map(({ content }) => content.body ?? content.type);

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

test('nothing is acknowledged before the handler resolved', async () => {
  const { session, phone } = await world.linked();
  const friend = freshNumber();
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  session.beforeStore = () => held;
  const queued = async () => (await world.control.stats())['queued'];
  await until(async () => (await queued()) === 0, 'an empty queue');
  await world.control.write(friend, phone, 'hello');
  await sleep(150);
  expect(await queued()).toBe(1);
  release();
  await until(async () => (await queued()) === 0, 'the acknowledgement');
  expect(session.messages).toHaveLength(1);
});

test('what a killed process had not committed comes again, and opens', async () => {
  const { session, phone } = await world.linked();
  const friend = freshNumber();
  session.beforeStore = () => new Promise(() => undefined);
  for (const i of range(5)) await world.control.write(friend, phone, `number ${i}`);
  await sleep(100);
  const next = session.crash();
  await next.open();
  await until(() => next.messages.length === 5, 'all five');
  expect(bodiesOf(next)).toEqual(range(5).map((i) => `number ${i}`));
  await next.socket?.close();
});

test('a handler that fails for a while is asked again, and no message is lost or out of order', async () => {
  const { session, phone } = await world.linked();
  const friend = freshNumber();
  let failures = 3;
  session.beforeStore = async () => {
    if (failures-- > 0) throw new Error('the database restarts');
  };
  for (const i of range(4)) await world.control.write(friend, phone, `number ${i}`);
  await until(() => session.messages.length === 4, 'all four');
  expect(bodiesOf(session)).toEqual(range(4).map((i) => `number ${i}`));
});

test('committed but not acknowledged: acknowledged at the repetition, without asking the sender', async () => {
  const { session, socket, phone } = await world.linked();
  const friend = freshNumber();
  await world.control.fault({ kind: 'duplicate_delivery', times: 1 });
  await world.control.write(friend, phone, 'twice');
  await until(() => session.messages.length === 1, 'the message');
  await sleep(100);
  expect(bodiesOf(session)).toEqual(['twice']);
  await socket.send(text(friend, 'still fine'));
  await world.arrived(friend, 1);
  expect((await world.control.stats())['undecryptable']).toBe(0);
});

test('the line is cut between commit and acknowledgement: repeated, recognised, acknowledged, never doubled', async () => {
  const { session, phone } = await world.linked();
  const friend = freshNumber();
  session.beforeStore = async () => {
    session.beforeStore = async () => undefined;
    await world.control.fault({ kind: 'cut', phone });
  };
  for (const i of range(20)) await world.control.write(friend, phone, `number ${i}`);
  await session.untilClosed();
  await session.open();
  await until(async () => (await world.control.stats())['queued'] === 0, 'an empty queue');
  expect(bodiesOf(session)).toEqual(range(20).map((i) => `number ${i}`));
  expect((await world.control.stats())['undecryptable']).toBe(0);
});

test('a repeated ciphertext of an unknown message is asked for again at its sender', async () => {
  const { session, phone } = await world.linked();
  session.knowsStored = false;
  const friend = freshNumber();
  await world.control.fault({ kind: 'duplicate_delivery', times: 1 });
  const { id } = await world.control.write(friend, phone, 'twice');
  await until(() => session.messages.length === 2, 'the message a second time, for the handler to recognise');
  expect(session.messages.map(({ wireId }) => wireId)).toEqual([id, id]);
});

test('an undecryptable message is asked for again and arrives', async () => {
  const { session, phone } = await world.linked();
  const friend = freshNumber();
  await world.control.write(friend, phone, 'first');
  await until(() => session.messages.length === 1, 'the first');
  await world.control.fault({ kind: 'corrupt_delivery', times: 1 });
  await world.control.write(friend, phone, 'second');
  await until(() => session.messages.length === 2, 'the second');
  expect(bodiesOf(session)).toEqual(['first', 'second']);
});

test('what came while offline is handed over whole and in order, many at once', async () => {
  const { session, socket, phone } = await world.linked();
  const friends = [freshNumber(), freshNumber()];
  await socket.close();
  for (const i of range(120)) await world.control.write(friends[i % 2] ?? '', phone, `number ${i}`);
  await session.open();
  await until(() => session.messages.length >= 120, 'all of them');
  for (const rest of [0, 1]) {
    const own = session.messages.filter(({ chat }) => chat.phone === friends[rest]);
    expect(bodiesOf({ messages: own })).toEqual(
      range(120)
        .filter((i) => i % 2 === rest)
        .map((i) => `number ${i}`),
    );
  }
  expect(session.batches.length).toBeLessThan(60);
});

test('sends and answers in one conversation do not disturb each other', async () => {
  const { session, socket, phone } = await world.linked();
  const friend = freshNumber();
  await world.control.write(friend, phone, 'hello');
  await until(() => session.messages.length === 1, 'the first message');
  await socket.send(text(friend, 'hello'));
  session.beforeStore = () => sleep(5);
  await Promise.all([
    ...range(40).map((i) => socket.send(text(friend, `out ${i}`))),
    (async () => {
      for (const i of range(40)) await world.control.write(friend, phone, `in ${i}`);
    })(),
  ]);
  await until(() => session.messages.length === 41, 'all answers');
  expect(bodiesOf(session).slice(1)).toEqual(range(40).map((i) => `in ${i}`));
  const inbox = await world.arrived(friend, 41);
  expect(inbox.map(({ text: body }) => body).slice(1)).toEqual(range(40).map((i) => `out ${i}`));
  expect((await world.control.stats())['undecryptable']).toBe(0);
});

test('one contact however it is addressed', async () => {
  const { session, phone } = await world.linked();
  const friend = freshNumber();
  await world.control.write(friend, phone, 'by number', { addressing: 'pn' });
  await world.control.write(friend, phone, 'by lid', { addressing: 'lid' });
  await until(() => session.messages.length === 2, 'both');
  const [first, second] = session.messages;
  expect(first?.chat).toEqual(second?.chat);
  expect(first?.chat.phone).toBe(friend);
  expect(first?.chat.lid).toMatch(/^\d+$/);
});

test('messages written on the phone itself are reported as our own', async () => {
  const { session, phone } = await world.linked();
  const friend = freshNumber();
  await world.control.write(phone, friend, 'from the phone');
  await until(() => session.messages.length === 1, 'the copy');
  expect(session.messages[0]).toMatchObject({
    fromMe: true,
    chat: { phone: friend },
    content: { body: 'from the phone' },
  });
});

test('receipts are not acknowledged before they are stored', async () => {
  const { session, socket } = await world.linked();
  const friend = freshNumber();
  session.beforeReceipts = () => new Promise(() => undefined);
  const message = text(friend, 'hello');
  await socket.send(message);
  await world.arrived(friend, 1);
  await sleep(100);
  const next = session.crash();
  await next.open();
  await until(
    () => next.receipts.some(({ wireIds }) => wireIds.includes(message.wireId)),
    'the receipt again',
  );
  expect(next.receipts[0]).toMatchObject({ status: 'delivered', from: { phone: friend } });
  await next.socket?.close();
});
