import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { EmulatorFixture, jidOf } from './support/fixture.ts';
import { until } from './support/until.ts';

const fixture = new EmulatorFixture();

describe('a phone’s behavior', () => {
  it('holds messages while it is offline and gets them in order when it is back', async () => {
    const control = fixture.control();
    const { client } = await fixture.linked();
    const { phone } = await control.createPhone();
    await control.change(phone, { online: false });
    for (const text of ['one', 'two', 'three']) await client.socket.sendMessage(jidOf(phone), { text });
    await until(() => client.acks.length >= 3, 'the acks');
    expect(await control.messages(phone)).toEqual([]);
    expect(client.receipts).toEqual([]);
    await control.change(phone, { online: true });
    await until(() => client.receipts.length >= 3, 'the receipts');
    expect((await control.messages(phone)).map(({ text }) => text)).toEqual(['one', 'two', 'three']);
  });

  it('delivers late, or never until it is changed', async () => {
    const control = fixture.control();
    const { client } = await fixture.linked();
    const [late, never] = [await control.createPhone(), await control.createPhone()];
    await control.change(late.phone, { behavior: { deliver: { after_ms: 150 } } });
    await control.change(never.phone, { behavior: { deliver: 'never' } });
    const started = Date.now();
    await client.socket.sendMessage(jidOf(late.phone), { text: 'slow' });
    await client.socket.sendMessage(jidOf(never.phone), { text: 'held' });
    await until(async () => (await control.messages(late.phone)).length === 1, 'the late message');
    expect(Date.now() - started).toBeGreaterThanOrEqual(150);
    expect(await control.messages(never.phone)).toEqual([]);
    await control.change(never.phone, { behavior: { deliver: 'now' } });
    await until(async () => (await control.messages(never.phone)).length === 1, 'the held message');
  });

  it('reads and replies by itself', async () => {
    const control = fixture.control();
    const { client } = await fixture.linked();
    const { phone } = await control.createPhone();
    await control.change(phone, { behavior: { read: { after_ms: 20 }, reply: { text: 'thanks' } } });
    const sent = await client.socket.sendMessage(jidOf(phone), { text: 'offer' });
    await until(() => client.texts.includes('thanks'), 'the reply');
    await until(
      () => client.receipts.some(({ attrs }) => attrs['type'] === 'read' && attrs['id'] === sent?.key.id),
      'the read receipt',
    );
  });

  it('has the server refuse messages to it', async () => {
    const control = fixture.control();
    const { client } = await fixture.linked();
    const { phone } = await control.createPhone();
    await control.change(phone, { behavior: { nack: { code: 463, times: 1 } } });
    await client.socket.sendMessage(jidOf(phone), { text: 'no' });
    await until(() => client.acks.some(({ attrs }) => attrs['error'] === '463'), 'the nack');
    await client.socket.sendMessage(jidOf(phone), { text: 'yes' });
    await until(async () => (await control.messages(phone)).length === 1, 'the next message');
    expect(await control.messages(phone)).toMatchObject([{ text: 'yes' }]);
  });
});

describe('what waits for a companion', () => {
  it('is delivered at its next login in order, marked as offline, and once', async () => {
    const control = fixture.control();
    const { client, phone } = await fixture.linked();
    const { phone: other } = await control.createPhone();
    await client.close();
    await until(async () => !(await control.phone(phone)).devices[0]?.online, 'offline');
    for (const text of ['a', 'b', 'c']) await control.write(other, phone, text);
    await client.open();
    await until(() => client.texts.length === 3, 'the messages');
    expect(client.texts).toEqual(['a', 'b', 'c']);
    expect(client.messages.every(({ upsert, key }) => upsert === 'append' || key.fromMe)).toBe(true);
    await until(async () => (await control.stats())['queued'] === 0, 'acknowledgement');
    await client.close();
    await client.open();
    expect(client.texts).toHaveLength(3);
  });

  it('comes again when the connection dies before the acknowledgement', async () => {
    const control = fixture.control();
    const { client, phone, device } = await fixture.linked();
    const { phone: other } = await control.createPhone();
    await control.fault({ kind: 'silence', ms: 60, realm: 'acc_test', phone, device });
    await control.write(other, phone, 'into the void');
    await sleep(80);
    expect(client.texts).toEqual([]);
    await client.open();
    await until(() => client.texts.includes('into the void'), 'the message');
  });
});

describe('messages between sessions', () => {
  it('reach the other session, its phone, and the sender’s own devices', async () => {
    const control = fixture.control();
    const sender = await fixture.linked();
    const receiver = await fixture.linked();
    const sent = await sender.client.socket.sendMessage(jidOf(receiver.phone), {
      text: 'session to session',
    });
    await until(() => receiver.client.texts.includes('session to session'), 'the session');
    await until(async () => (await control.messages(receiver.phone)).length === 1, 'the phone');
    await until(async () => (await control.messages(sender.phone)).length === 1, 'the own phone');
    await until(
      () => sender.client.receipts.some(({ attrs }) => attrs['id'] === sent?.key.id),
      'the receipt',
    );
    const message = receiver.client.messages.find(({ key }) => !key.fromMe);
    if (message) await receiver.client.socket.readMessages([message.key]);
    await until(() => sender.client.receipts.some(({ attrs }) => attrs['type'] === 'read'), 'read');
    expect((await control.messages(receiver.phone))[0]?.read_at).toBeDefined();
  });

  it('show what the phone itself writes to its companions', async () => {
    const control = fixture.control();
    const { client, phone } = await fixture.linked();
    const { phone: other } = await control.createPhone();
    const { id } = await control.write(phone, other, 'from the phone itself');
    const copy = await until(() => client.messages.find(({ key }) => key.id === id), 'the copy');
    expect(copy.key).toMatchObject({ fromMe: true, remoteJid: jidOf(other) });
    expect(await control.messages(other)).toMatchObject([{ id, text: 'from the phone itself' }]);
  });
});

describe('retries', () => {
  it('the phone asks again for what it cannot open, and gets it under the same id', async () => {
    const control = fixture.control();
    const { client, phone } = await fixture.linked();
    const { phone: other } = await control.createPhone();
    await client.socket.sendMessage(jidOf(other), { text: 'first' });
    await until(async () => (await control.messages(other)).length === 1, 'the first message');
    await control.write(other, phone, 'now the session is established');
    await until(() => client.texts.length === 1, 'the answer');
    await control.fault({ kind: 'forget_sessions', realm: 'acc_test', phone: other });
    const sent = await client.socket.sendMessage(jidOf(other), { text: 'lost session' });
    const again = await until(
      async () => (await control.messages(other)).find(({ text }) => text === 'lost session'),
      'the message sent again',
    );
    expect(again).toMatchObject({ id: sent?.key.id, type: 'pkmsg', duplicates: 0 });
  });

  it('the phone sends again what the client could not open', async () => {
    const control = fixture.control();
    const { client, phone, device } = await fixture.linked();
    const { phone: other } = await control.createPhone();
    await control.fault({ kind: 'corrupt_delivery', times: 1, realm: 'acc_test', phone, device });
    await control.write(other, phone, 'second try');
    await until(() => client.texts.includes('second try'), 'the message');
  });

  it('one companion sends again what another could not open', async () => {
    const control = fixture.control();
    const sender = await fixture.linked();
    const { client, phone, device } = await fixture.linked();
    await control.fault({ kind: 'corrupt_delivery', times: 1, realm: 'acc_test', phone, device });
    await sender.client.socket.sendMessage(jidOf(phone), { text: 'between sessions' });
    await until(() => client.texts.includes('between sessions'), 'the message');
  });
});

describe('one-time keys', () => {
  it('are uploaded when the server says that they run low', async () => {
    const control = fixture.control();
    const { client, phone } = await fixture.linked();
    // Baileys uploads at most every five seconds on one connection.
    await client.open();
    const before = client.auth.creds.nextPreKeyId;
    await control.fault({ kind: 'prekeys_low', count: 2, realm: 'acc_test', phone });
    await until(() => client.auth.creds.nextPreKeyId > before, 'the upload');
  });
});
