import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { until } from '../../emulator/support/until.ts';
import { emulated, freshNumber } from '../support/emulated.ts';
import { logged, text } from '../support/linked-session.ts';

const world = emulated();

test('links by QR code: one event after the other, the restart inside', async () => {
  const session = world.session();
  const phone = freshNumber();
  await session.link(world.control, phone);
  expect(session.events).toEqual(['qr', 'linked', 'open']);
  expect(session.linked).toMatchObject({ phone, device: expect.any(Number) });
  expect(session.opened?.lid).toMatch(/^\d+$/);
  expect(session.qrs[0]?.text).toContain('wa.me/settings/linked_devices');
  expect(session.qrs[0]?.expiresAt.getTime()).toBeGreaterThan(Date.now() + 50_000);
});

test('links by pairing code', async () => {
  const session = world.session();
  const phone = freshNumber();
  const socket = await session.start();
  const code = await socket.requestPairingCode(phone);
  expect(code).toMatch(/^[0-9A-Z]{8}$/);
  await world.control.enterCode(phone, code);
  await session.untilOpen();
  expect(session.opened?.phone).toBe(phone);
  await expect(socket.requestPairingCode(phone)).rejects.toThrow('linked already');
});

test('a pairing code that nobody typed leaves no trace: the next start shows a QR code again', async () => {
  const session = world.session();
  const socket = await session.start();
  await socket.requestPairingCode(freshNumber());
  await socket.close();
  await session.start();
  await until(() => session.qrs.length > 1, 'a new QR code');
});

test.each([429, 503])('a refused upgrade is reported: HTTP %i', async (status) => {
  const session = world.session();
  await world.control.fault({ kind: 'refuse_upgrade', status, times: 1 });
  await session.start();
  expect(await session.untilClosed()).toEqual({ code: 'upgrade_refused', reason: `HTTP ${status}` });
});

test('a server that says nothing is given up in time', async () => {
  const { session, socket } = await world.linked({ connectTimeoutMs: 8_000 });
  await socket.close();
  await world.control.fault({ kind: 'silence', ms: 60_000 });
  await session.start();
  expect((await session.untilClosed()).code).toBe('connect_timeout');
});

test('a link that goes silent ends soon after the first ack is missing, and loses nothing', async () => {
  const { session, socket } = await world.linked({ ackTimeoutMs: 5_000 });
  const to = freshNumber();
  await socket.send(text(to, 'before'));
  await world.control.fault({ kind: 'silence', ms: 30_000 });
  const messages = Array.from({ length: 10 }, (_, i) => text(to, `silent ${i}`));
  const results = await Promise.allSettled(messages.map((message) => socket.send(message)));
  expect(results.every(({ status }) => status === 'rejected')).toBe(true);
  expect((await session.untilClosed()).code).toBe('ack_timeout');
  await world.control.clearFaults();
  await session.open();
  for (const message of messages) await session.socket?.send(message);
  const inbox = await world.arrived(to, 11);
  expect(inbox.map(({ text: body }) => body)).toEqual([
    'before',
    ...messages.map(({ content }) => content.body),
  ]);
});

test.each([
  ['logged out on the phone', { kind: 'stream_error', code: 401, conflict: 'device_removed' }, 401],
  ['replaced by another connection', { kind: 'stream_error', conflict: 'replaced' }, 440],
  ['restart required', { kind: 'stream_error', code: 515 }, 515],
  ['service unavailable', { kind: 'stream_error', code: 503 }, 503],
  ['stream ended', { kind: 'end_stream' }, 428],
  ['connection cut', { kind: 'cut' }, 428],
])('%s', async (_, fault, code) => {
  const { session, phone } = await world.linked();
  await world.control.fault({ ...fault, phone });
  expect((await session.untilClosed()).code).toBe(code);
});

test.each([401, 403, 405, 429, 503])('a refused login carries its reason: %i', async (reason) => {
  const { session, socket, phone } = await world.linked();
  await socket.close();
  await world.control.fault({ kind: 'refuse_login', reason, phone, times: 1 });
  await session.start();
  expect((await session.untilClosed()).code).toBe(reason);
});

test('closing keeps the link and is quick, even on a dead line', async () => {
  const { session, socket, phone } = await world.linked();
  await world.control.fault({ kind: 'silence', ms: 5_000 });
  const began = Date.now();
  await socket.close();
  expect(Date.now() - began).toBeLessThan(2_000);
  expect(session.closed?.code).toBe('closed_by_us');
  expect((await world.control.phone(phone)).devices).toHaveLength(1);
});

test('logging out unlinks the device', async () => {
  const { session, socket, phone } = await world.linked();
  await socket.logout();
  expect(session.closed?.code).toBe(401);
  expect((await world.control.phone(phone)).devices).toHaveLength(0);
});

test('onClosed is the last call, and comes once', async () => {
  const { session, socket } = await world.linked();
  await Promise.all([socket.close(), socket.close()]);
  await sleep(50);
  expect(session.events.filter((event) => event === 'closed')).toHaveLength(1);
  expect(session.events.at(-1)).toBe('closed');
});

test('typing is shown without harm', async () => {
  const { socket } = await world.linked();
  await socket.setTyping({ phone: freshNumber() }, true);
  await socket.setTyping({ phone: freshNumber() }, false);
});

test('neither the console nor the log sees keys, numbers or text', async () => {
  const spies = (['log', 'info', 'warn', 'error', 'debug'] as const).map((name) => vi.spyOn(console, name));
  const { session, socket, phone } = await world.linked();
  const to = freshNumber();
  await socket.send(text(to, 'very secret words'));
  await world.control.write(to, phone, 'other secret words');
  await until(() => session.messages.length === 1, 'the answer');
  await world.control.fault({ kind: 'corrupt_delivery', times: 1 });
  await world.control.write(to, phone, 'third secret words');
  await until(() => session.messages.length === 2, 'the third');
  await socket.close();
  for (const spy of spies) expect(spy).not.toHaveBeenCalled();
  const lines = logged.join('\n');
  for (const secret of ['secret words', to, phone, session.opened?.lid ?? 'no lid'])
    expect(lines).not.toContain(secret);
  vi.restoreAllMocks();
});
