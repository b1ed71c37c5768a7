import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { EmulatorFixture, jidOf } from './support/fixture.ts';
import { until } from './support/until.ts';

const fixture = new EmulatorFixture();
afterEach(() => fixture.control().clearFaults());

/** What a client meets that only opens a WebSocket: the refusal's status, or that it is open. */
async function upgrade(): Promise<number | 'open'> {
  const socket = new WebSocket(fixture.emulator.wsUrl);
  const outcome = await Promise.race([
    once(socket, 'open').then(() => 'open' as const),
    once(socket, 'unexpected-response').then(([, response]): number => response.statusCode),
    once(socket, 'error').then(() => 0),
  ]);
  socket.on('error', () => {});
  socket.terminate();
  return outcome;
}

describe('a link that goes silent', () => {
  it('loses what is sent meanwhile, and the connection does not recover', async () => {
    const control = fixture.control();
    const { client, phone, device } = await fixture.linked();
    const { phone: other } = await control.createPhone();
    await client.socket.sendMessage(jidOf(other), { text: 'before' });
    await until(async () => (await control.messages(other)).length === 1, 'the message before');
    await control.fault({ kind: 'silence', ms: 100, realm: 'acc_test', phone, device });
    await client.socket.sendMessage(jidOf(other), { text: 'during' });
    await control.write(other, phone, 'inbound');
    await sleep(150);
    await client.socket.sendMessage(jidOf(other), { text: 'after, on the dead connection' });
    await sleep(50);
    expect(client.closedWith).toBe(515);
    expect(client.texts).toEqual([]);
    expect((await control.messages(other)).filter(({ direction }) => direction === 'in')).toHaveLength(1);
    await client.open();
    await until(() => client.texts.includes('inbound'), 'what waited');
    await client.socket.sendMessage(jidOf(other), { text: 'on a new connection' });
    await until(
      async () => (await control.messages(other)).some(({ text }) => text === 'on a new connection'),
      'the message after',
    );
  });

  it('answers no new connection until it is over', async () => {
    await fixture.control().fault({ kind: 'silence', ms: 3_600_000 });
    const attempt = upgrade();
    expect(await Promise.race([attempt, sleep(60, 'waiting')])).toBe('waiting');
    await fixture.control().clearFaults();
    expect(await Promise.race([attempt, sleep(60, 'waiting')])).toBe('waiting');
    expect(await upgrade()).toBe('open');
  });
});

describe('refused upgrades', () => {
  it('carry the wanted status, as often as ordered', async () => {
    const control = fixture.control();
    await control.fault({ kind: 'refuse_upgrade', status: 429, times: 2 });
    expect([await upgrade(), await upgrade(), await upgrade()]).toEqual([429, 429, 'open']);
    await control.fault({ kind: 'refuse_upgrade', status: 503, for_ms: 8_000 });
    expect(await upgrade()).toBe(503);
    await until(async () => (await upgrade()) === 'open', 'the end of the refusals');
  });
});

describe('acknowledgements', () => {
  it('can say no, for a number of messages', async () => {
    const control = fixture.control();
    const { client, phone } = await fixture.linked();
    await control.fault({ kind: 'nack', code: 479, times: 2, realm: 'acc_test', phone });
    for (const text of ['1', '2', '3'])
      await client.socket.sendMessage('919811110000@s.whatsapp.net', { text });
    await until(() => client.acks.length >= 3, 'the acks');
    expect(client.acks.map(({ attrs }) => attrs['error'])).toEqual(['479', '479', undefined]);
    await until(async () => (await control.messages('919811110000')).length === 1, 'the third message');
  });

  it('can be late, or lost though the message arrived', async () => {
    const control = fixture.control();
    const { client, phone } = await fixture.linked();
    const { phone: other } = await control.createPhone();
    const selectors = { realm: 'acc_test', phone, times: 1 };
    await control.fault({ kind: 'delay_acks', ms: 120, ...selectors });
    const started = Date.now();
    await client.socket.sendMessage(jidOf(other), { text: 'late ack' });
    await until(() => client.acks.length === 1, 'the ack');
    expect(Date.now() - started).toBeGreaterThanOrEqual(120);
    await control.fault({ kind: 'drop_ack', ...selectors });
    const message = { text: 'no ack' };
    const sent = await client.socket.sendMessage(jidOf(other), message);
    await until(async () => (await control.messages(other)).length === 2, 'the message');
    expect(client.acks).toHaveLength(1);
    const messageId = sent?.key.id ?? '';
    await client.socket.sendMessage(jidOf(other), message, { messageId });
    await until(
      async () => (await control.messages(other))[1]?.duplicates === 1,
      'the duplicate to be noticed',
    );
    expect(await control.messages(other)).toHaveLength(2);
  });
});

describe('lost queries', () => {
  it('of devices make Baileys send a message without ciphertext, which is refused', async () => {
    const control = fixture.control();
    const { phone: other } = await control.createPhone();
    const { phone } = await control.createPhone();
    const client = fixture.client({ defaultQueryTimeoutMs: 150 });
    await client.link((qr) => control.scan(phone, qr));
    await control.fault({ kind: 'drop_query', query: 'usync', times: 3, realm: 'acc_test', phone });
    const before = (await control.stats())['empty_messages'];
    await client.socket.sendMessage(jidOf(other), { text: 'for nobody' });
    await until(() => client.acks.some(({ attrs }) => attrs['error'] === '479'), 'the nack');
    expect((await control.stats())['empty_messages']).toBe((before ?? 0) + 1);
    expect(await control.messages(other)).toEqual([]);
  });

  it('of keys are dropped as ordered', async () => {
    const control = fixture.control();
    const { client, phone } = await fixture.linked();
    await control.fault({ kind: 'drop_query', query: 'keys', times: 1, realm: 'acc_test', phone });
    const query = () =>
      client.socket.query(
        {
          tag: 'iq',
          attrs: { xmlns: 'encrypt', type: 'get', to: '@s.whatsapp.net' },
          content: [{ tag: 'key', attrs: {}, content: [] }],
        },
        100,
      );
    const outcome = await Promise.allSettled([query()]);
    const answered = await Promise.allSettled([query()]);
    expect([outcome[0].status === 'fulfilled' && outcome[0].value !== undefined, answered[0].status]).toEqual(
      [false, 'fulfilled'],
    );
  });
});

describe('inbound messages', () => {
  it('can be delivered twice under one id', async () => {
    const control = fixture.control();
    const { client, phone } = await fixture.linked();
    const { phone: other } = await control.createPhone();
    const seen: string[] = [];
    client.socket.ws.on('CB:message', ({ attrs }: { attrs: Record<string, string> }) =>
      seen.push(attrs['id'] ?? ''),
    );
    await control.fault({ kind: 'duplicate_delivery', times: 1, realm: 'acc_test', phone });
    const { id } = await control.write(other, phone, 'twice');
    await until(() => seen.filter((one) => one === id).length === 2, 'both copies');
  });
});

describe('the list of faults', () => {
  it('shows what lies in wait, by realm', async () => {
    const control = fixture.control();
    await control.fault({ kind: 'nack', code: 463, realm: 'a' });
    await control.fault({ kind: 'nack', code: 463, realm: 'b', phone: '+919800000000' });
    const list = async () => (await control.call<{ data: { realm: string }[] }>('GET', '/v1/faults')).body;
    expect((await list()).data).toMatchObject([{ realm: 'a' }, { realm: 'b', phone: '919800000000' }]);
    await control.call('DELETE', '/v1/faults?realm=a');
    expect((await list()).data).toMatchObject([{ realm: 'b' }]);
  });
});
