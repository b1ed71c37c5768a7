import { expect, it } from 'vitest';
import { EmulatorFixture } from './support/fixture.ts';
import { until } from './support/until.ts';

const fixture = new EmulatorFixture();

it('settings that one companion changes reach the account’s other companions, in order', async () => {
  const control = fixture.control();
  const { client, phone } = await fixture.linked(control);
  const { client: other } = await fixture.linked(control, phone);
  const chat = '919812345670@s.whatsapp.net';
  const pins: unknown[] = [];
  other.socket.ev.on('chats.update', (updates) =>
    pins.push(
      ...updates.filter(({ id }) => id === chat).map(({ pinned }) => pinned !== null && pinned !== undefined),
    ),
  );
  for (const pin of [true, false, true]) {
    await client.socket.chatModify({ pin }, chat);
    const changes = pins.length;
    await until(() => pins.length > changes || pins.at(-1) === pin, 'the change at the other companion');
  }
  expect(pins.at(-1)).toBe(true);
  expect((await control.stats())['unknown_iqs']).toBe(0);
  const late = await fixture.linked(control, phone);
  await until(
    () => late.client.auth.creds.accountSyncCounter > 0,
    'the synchronisation of a third companion',
  );
});
