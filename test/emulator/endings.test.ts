import { describe, expect, it } from 'vitest';
import { EmulatorFixture, jidOf } from './support/fixture.ts';
import { until } from './support/until.ts';

const fixture = new EmulatorFixture();

/** Selectors of one linked device. */
const only = (phone: string, device: number) => ({ realm: 'acc_test', phone, device });

describe('a connection ends', () => {
  it.each([
    { fault: { kind: 'stream_error', code: 503 }, code: 503 },
    { fault: { kind: 'stream_error', code: 515 }, code: 515 },
    { fault: { kind: 'stream_error', conflict: 'replaced' }, code: 440 },
    { fault: { kind: 'end_stream' }, code: 428 },
    { fault: { kind: 'cut' }, code: 428 },
  ])('with $code on $fault, and the device may log in again', async ({ fault, code }) => {
    const { client, phone, device } = await fixture.linked();
    const before = client.updates.length;
    await fixture.control().fault({ ...fault, ...only(phone, device) });
    await until(
      () => client.updates.slice(before).some(({ connection }) => connection === 'close'),
      'the close',
    );
    expect(client.closedWith).toBe(code);
    await client.open();
  });

  it('when the device logs in a second time: the older one is replaced', async () => {
    const control = fixture.control();
    const { client, phone } = await fixture.linked();
    await client.open();
    await until(() => client.closedWith === 440, 'the older connection to close');
    const { phone: other } = await control.createPhone();
    await client.socket.sendMessage(jidOf(other), { text: 'still here' });
    await until(async () => (await control.messages(other)).length === 1, 'the message');
    expect((await control.phone(phone)).devices).toMatchObject([{ online: true }]);
  });

  it('for good when the phone removes the device', async () => {
    const control = fixture.control();
    const { client, phone, device } = await fixture.linked();
    await control.removeDevice(phone, device);
    await until(() => client.closedWith === 401, 'the logout');
    expect((await control.phone(phone)).devices).toEqual([]);
    const before = client.updates.length;
    client.connect();
    await until(
      () => client.updates.slice(before).some(({ connection }) => connection === 'close'),
      'the refusal',
    );
    expect(client.closedWith).toBe(401);
  });

  it('for good when the client logs out', async () => {
    const control = fixture.control();
    const { client, phone } = await fixture.linked();
    await client.socket.logout();
    await until(async () => (await control.phone(phone)).devices.length === 0, 'the device to be gone');
    await until(() => client.closedWith === 401, 'the close');
  });

  it('with 403 when the device is banned, until it is forgiven', async () => {
    const control = fixture.control();
    const { client, phone, device } = await fixture.linked();
    await control.change(phone, { ban_device: device });
    await until(() => client.closedWith === 403, 'the ban');
    const before = client.updates.length;
    client.connect();
    await until(
      () => client.updates.slice(before).some(({ connection }) => connection === 'close'),
      'the refusal',
    );
    expect(client.closedWith).toBe(403);
    await control.change(phone, { unban_device: device });
    await client.open();
  });

  it('at login when the server says so, as often as ordered', async () => {
    const { client, phone, device } = await fixture.linked();
    await client.close();
    await fixture.control().fault({ kind: 'refuse_login', reason: 429, times: 1, ...only(phone, device) });
    client.connect();
    await until(() => client.closedWith === 429, 'the refusal');
    await client.open();
  });
});

describe('others learn of a change of devices', () => {
  it('when one is added and when one is removed', async () => {
    const control = fixture.control();
    const { client, phone, device } = await fixture.linked();
    const watcher = await fixture.linked();
    await watcher.client.socket.sendMessage(jidOf(phone), { text: 'hello' });
    await until(() => client.texts.includes('hello'), 'the message at the companion');
    expect(await control.messages(phone)).toMatchObject([{ text: 'hello' }]);
    await fixture.linked(control, phone);
    const changes = () =>
      watcher.client.notifications
        .filter(({ attrs }) => attrs['type'] === 'devices')
        .flatMap(({ content }) => (Array.isArray(content) ? content.map(({ tag }) => tag) : []));
    await until(() => changes().includes('add'), 'add');
    await control.removeDevice(phone, device);
    await until(() => changes().includes('remove'), 'remove');
  });
});
