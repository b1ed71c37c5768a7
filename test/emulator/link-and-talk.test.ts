import { describe, expect, it } from 'vitest';
import { EmulatorFixture, jidOf } from './support/fixture.ts';
import { until } from './support/until.ts';

const fixture = new EmulatorFixture();

describe('a linked companion', () => {
  it('sends a text that the phone decrypts, and gets its ack and receipts', async () => {
    const control = fixture.control();
    const { client, phone } = await fixture.linked();
    const to = await control.createPhone();
    const sent = await client.socket.sendMessage(jidOf(to.phone), { text: 'hello' });
    const id = sent?.key.id;
    const message = await until(async () => (await control.messages(to.phone))[0], 'the message');
    expect(message).toMatchObject({
      id,
      from: phone,
      to: to.phone,
      text: 'hello',
      type: 'pkmsg',
      duplicates: 0,
    });
    await until(() => client.acks.some(({ attrs }) => attrs['id'] === id && !attrs['error']), 'the ack');
    await until(
      () => client.receipts.some(({ attrs }) => attrs['id'] === id && !attrs['type']),
      'the receipt',
    );
    expect(await control.read(to.phone)).toEqual({ read: 1 });
    await until(() => client.receipts.some(({ attrs }) => attrs['type'] === 'read'), 'the read receipt');
    const own = await until(
      async () => (await control.messages(phone)).find((one) => one.id === id && one.read_at),
      'the own phone’s copy',
    );
    expect(own).toMatchObject({ direction: 'out', to: to.phone, text: 'hello' });
  });

  it('receives what a phone writes, quotes included', async () => {
    const control = fixture.control();
    const { client, phone } = await fixture.linked();
    const from = await control.createPhone({ name: 'Asha' });
    const question = await client.socket.sendMessage(jidOf(from.phone), { text: 'where?' });
    await until(async () => (await control.messages(from.phone)).length === 1, 'the question');
    const { id } = await control.write(from.phone, phone, 'here', { quoted_id: question?.key.id });
    const message = await until(() => client.messages.find(({ key }) => key.id === id), 'the answer');
    expect(message).toMatchObject({ pushName: 'Asha', upsert: 'notify' });
    const quoted = message.message?.extendedTextMessage?.contextInfo;
    expect(quoted).toMatchObject({ stanzaId: question?.key.id, quotedMessage: { conversation: 'where?' } });
    await until(async () => (await control.messages(from.phone))[1]?.delivered_at, 'the delivery');
  });

  it('continues a session in both directions without new key exchanges', async () => {
    const control = fixture.control();
    const { client, phone } = await fixture.linked();
    const { phone: other } = await control.createPhone();
    for (const round of [1, 2, 3]) {
      await client.socket.sendMessage(jidOf(other), { text: `ping ${round}` });
      await until(
        async () => (await control.messages(other)).some((one) => one.text === `ping ${round}`),
        'ping',
      );
      await control.write(other, phone, `pong ${round}`);
      await until(() => client.texts.includes(`pong ${round}`), 'pong');
    }
    const types = (await control.messages(other))
      .filter(({ direction }) => direction === 'in')
      .map(({ type }) => type);
    expect(types).toEqual(['pkmsg', 'msg', 'msg']);
  });

  it('keeps the order of many messages', async () => {
    const control = fixture.control();
    const { client, phone } = await fixture.linked();
    const { phone: other } = await control.createPhone();
    const texts = Array.from({ length: 60 }, (_, at) => `message ${at}`);
    for (const text of texts) await client.socket.sendMessage(jidOf(other), { text });
    await until(async () => (await control.messages(other)).length === texts.length, 'all messages');
    expect((await control.messages(other)).map(({ text }) => text)).toEqual(texts);
    await control.write(other, phone, 'again', { count: 60 });
    await until(() => client.texts.length === 60, 'the answers');
  });

  it('is told by the number’s LID as well', async () => {
    const control = fixture.control();
    const { client, phone } = await fixture.linked();
    const from = await control.createPhone();
    const { id } = await control.write(from.phone, phone, 'by lid', { addressing: 'lid' });
    const message = await until(() => client.messages.find(({ key }) => key.id === id), 'the message');
    expect(message.key).toMatchObject({ remoteJid: `${from.lid}@lid`, remoteJidAlt: jidOf(from.phone) });
    await client.socket.sendMessage(`${from.lid}@lid`, { text: 'answer' });
    await until(
      async () => (await control.messages(from.phone)).some(({ text }) => text === 'answer'),
      'answer',
    );
  });

  it('looks numbers up', async () => {
    const control = fixture.control();
    const { client } = await fixture.linked();
    const known = await control.createPhone();
    const absent = await control.createPhone();
    await control.change(absent.phone, { behavior: { on_whatsapp: false } });
    const found = await client.socket.onWhatsApp(known.phone.slice(1), absent.phone.slice(1), '919800000001');
    expect(found?.filter(({ exists }) => exists).map(({ jid }) => jid)).toEqual([
      jidOf(known.phone),
      '919800000001@s.whatsapp.net',
    ]);
  });

  it('sees presence and typing', async () => {
    const control = fixture.control();
    const { client, phone } = await fixture.linked();
    const { client: partner, phone: partnerPhone } = await fixture.linked();
    await client.socket.presenceSubscribe(jidOf(partnerPhone));
    await partner.socket.sendPresenceUpdate('composing', jidOf(phone));
    await until(
      () => client.presences.some(({ presences }) => JSON.stringify(presences).includes('composing')),
      'typing',
    );
    await control.change(partnerPhone, { online: false });
    await until(() => client.presences.length >= 2, 'presence');
    expect((await control.phone(partnerPhone)).online).toBe(false);
  });
});

describe('a number nobody created', () => {
  it('is an ordinary phone: it delivers and does not read', async () => {
    const control = fixture.control();
    const { client } = await fixture.linked();
    const sent = await client.socket.sendMessage('919812312312@s.whatsapp.net', { text: 'hello stranger' });
    await until(() => client.receipts.some(({ attrs }) => attrs['id'] === sent?.key.id), 'the receipt');
    expect(await control.messages('+919812312312')).toMatchObject([{ text: 'hello stranger' }]);
    expect(client.receipts.some(({ attrs }) => attrs['type'] === 'read')).toBe(false);
  });
});

describe('realms', () => {
  it('do not see each other, also with equal numbers', async () => {
    const [one, two] = [fixture.control('realm one'), fixture.control('realm/two')];
    const number = '+919811111111';
    await one.createPhone({ phone: number });
    await two.createPhone({ phone: number });
    const first = await fixture.linked(one, number);
    const second = await fixture.linked(two, number);
    const target = '+919822222222';
    await first.client.socket.sendMessage(jidOf(target), { text: 'from one' });
    await second.client.socket.sendMessage(jidOf(target), { text: 'from two' });
    await until(async () => (await one.messages(target)).length === 1, 'in one');
    await until(async () => (await two.messages(target)).length === 1, 'in two');
    expect(await one.messages(target)).toMatchObject([{ text: 'from one' }]);
    expect(await two.messages(target)).toMatchObject([{ text: 'from two' }]);
    expect((await one.phone(number)).lid).not.toBe((await two.phone(number)).lid);
    await one.call('DELETE', '/v1/realms/realm%20one');
    expect(await first.client.closed()).toBeDefined();
    expect((await one.call('GET', `/v1/realms/realm%20one/phones/${target}`)).status).toBe(404);
    expect(second.client.closedWith).toBe(515);
    expect(await two.messages(target)).toHaveLength(1);
  });
});
