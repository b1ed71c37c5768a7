import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { until } from '../../emulator/support/until.ts';
import { emulated, freshNumber } from '../support/emulated.ts';
import { text } from '../support/linked-session.ts';

const world = emulated();

test('the ratchet is durable before its ciphertext leaves', async () => {
  const { session, socket } = await world.linked();
  const to = freshNumber();
  await socket.send(text(to, 'first'));
  let goOn = () => {};
  session.store.held = new Promise((resolve) => (goOn = resolve));
  const sending = socket.send(text(to, 'second'));
  await sleep(120);
  expect(await world.arrived(to, 1)).toHaveLength(1);
  goOn();
  await sending;
  await world.arrived(to, 2);
});

test('all devices of one message share one write', async () => {
  const { session, socket } = await world.linked();
  const to = freshNumber();
  await socket.send(text(to, 'first'));
  const before = session.store.sets.length;
  await socket.send(text(to, 'second'));
  const writes = session.store.sets.slice(before);
  expect(writes).toHaveLength(1);
  // The recipient's phone and our own.
  expect(writes[0]?.filter(({ kind }) => kind === 'session')).toHaveLength(2);
});

test('nothing leaves while the store is down, and the same message goes later', async () => {
  const { session, socket } = await world.linked();
  const to = freshNumber();
  await socket.send(text(to, 'first'));
  session.store.failing = true;
  const message = text(to, 'second');
  await expect(socket.send(message)).rejects.toMatchObject({ failure: 'not_sent' });
  session.store.failing = false;
  await socket.send(message);
  expect((await world.arrived(to, 2)).map(({ text: body, duplicates }) => [body, duplicates])).toEqual([
    ['first', 0],
    ['second', 0],
  ]);
});

test('a lost lease ends the connection, and nothing leaves after it', async () => {
  const { session, socket } = await world.linked();
  const to = freshNumber();
  await socket.send(text(to, 'first'));
  session.store.leaseLost = true;
  await expect(socket.send(text(to, 'second'))).rejects.toThrow();
  expect((await session.untilClosed()).code).toBe('lease_lost');
  expect(await world.arrived(to, 1)).toHaveLength(1);
});

test('killed at any moment of a send, the next process sends the same message, and it arrives once', async () => {
  const { session: first } = await world.linked();
  const to = freshNumber();
  await first.socket?.send(text(to, 'before'));
  let session = first;
  const bodies: string[] = ['before'];
  for (const killAfterMs of [0, 1, 2, 4, 8, 16]) {
    const message = text(to, `killed after ${killAfterMs} ms`);
    bodies.push(message.content.body);
    session.store.writeDelayMs = 3;
    void session.socket?.send(message).catch(() => undefined);
    await sleep(killAfterMs);
    session = session.crash();
    await session.open();
    await session.socket?.send(message);
  }
  const inbox = await world.arrived(to, bodies.length);
  expect(inbox.map(({ text: body }) => body)).toEqual(bodies);
  expect((await world.control.stats())['undecryptable']).toBe(0);
  await session.socket?.close();
});

test('pairing: prekeys in one write, credentials durable before the phone is told', async () => {
  const session = world.session();
  const durable: string[] = [];
  session.store.beforeWrite = () => {
    if (session.linked === undefined) durable.push('written before linked');
  };
  await session.link(world.control, freshNumber());
  expect(durable.length).toBeGreaterThan(0);
  const made = session.store.sets.map((set) =>
    set.filter(({ kind, value }) => kind === 'pre-key' && value !== null),
  );
  expect(made.map((keys) => keys.length).filter((count) => count > 0)).toEqual([812]);
});

test('a pairing whose credentials cannot be stored is not confirmed', async () => {
  const session = world.session();
  await session.start();
  const qr = await until(() => session.qrs[0], 'a QR code');
  session.store.failing = true;
  const phone = freshNumber();
  await world.control.scan(phone, qr.text).catch(() => undefined);
  expect((await session.untilClosed()).code).toBe('not_stored');
  expect(session.linked).toBeUndefined();
});

test('a session opens again from the store, without a new scan', async () => {
  const { session, socket, phone } = await world.linked();
  await socket.close();
  const next = world.session(session.store.crash());
  await next.open();
  expect(next.events).toEqual(['open']);
  expect(next.opened?.phone).toBe(phone);
});

test('closing writes what was put off', async () => {
  const { session, socket, phone } = await world.linked();
  const friend = freshNumber();
  await world.control.write(friend, phone, 'hello');
  await until(() => session.messages.length === 1, 'the message');
  const before = session.store.count('session');
  await socket.close();
  expect(session.store.count('session')).toBeGreaterThan(before);
});
