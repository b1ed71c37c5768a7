import { expect, test } from 'vitest';
import { until } from '../../emulator/support/until.ts';
import { emulated, freshNumber } from '../support/emulated.ts';
import { type TestSession, text } from '../support/linked-session.ts';

const world = emulated();

test('a device that the recipient links later gets the next message', async () => {
  const { socket } = await world.linked();
  const friend = freshNumber();
  await socket.send(text(friend, 'to the phone alone'));
  const desktop = world.session();
  await desktop.link(world.control, friend);
  await socket.send(text(friend, 'to both'));
  await until(() => desktop.messages.length > 0, 'the message on the new device');
  expect(desktop.messages[0]).toMatchObject({ fromMe: false, content: { body: 'to both' } });
});

test('another device of the same account gets a copy of what is sent', async () => {
  const { socket, phone } = await world.linked();
  const friend = freshNumber();
  await socket.send(text(friend, 'before'));
  const second = world.session();
  await second.link(world.control, phone);
  await socket.send(text(friend, 'after'));
  await until(() => second.messages.length > 0, 'the copy');
  expect(second.messages[0]).toMatchObject({
    fromMe: true,
    chat: { phone: friend },
    content: { body: 'after' },
  });
});

test('a device that was removed is no longer written to', async () => {
  const { socket } = await world.linked();
  const friend = freshNumber();
  const desktop = world.session();
  await desktop.link(world.control, friend);
  await socket.send(text(friend, 'to both'));
  await until(() => desktop.messages.length === 1, 'the first');
  await world.control.removeDevice(friend, desktop.opened?.device ?? 0);
  await desktop.untilClosed();
  await socket.send(text(friend, 'to the phone'));
  expect(await world.arrived(friend, 2)).toHaveLength(2);
});

test('two sessions of one process talk to each other', async () => {
  const first = await world.linked();
  const second = await world.linked();
  await Promise.all(
    Array.from({ length: 30 }, async (_, i) => {
      await first.socket.send(text(second.phone, `there ${i}`));
      await second.socket.send(text(first.phone, `back ${i}`));
    }),
  );
  const all = (session: TestSession) => session.messages.filter(({ fromMe }) => !fromMe).length;
  await until(() => all(first.session) === 30 && all(second.session) === 30, 'all sixty');
});

test('prekeys that run low are made anew, and are durable before they are handed out', async () => {
  const { session, phone } = await world.linked();
  const made = () =>
    session.store.sets.map(
      (set) => set.filter(({ kind, value }) => kind === 'pre-key' && value !== null).length,
    );
  await world.control.fault({ kind: 'prekeys_low', count: 2, phone });
  await until(() => made().at(-1) === 5, 'new prekeys');
});
