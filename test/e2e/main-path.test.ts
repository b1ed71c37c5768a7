import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiClient, Json } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { createWorld, type World } from '../support/world.ts';

let world: World;
let api: ApiClient;
let session: Json;
const PHONE = '919876543210';

beforeAll(async () => {
  world = await createWorld();
  api = (await world.account()).test;
  session = await api.linkedSession();
});
afterAll(() => world.close());

const status = (id: string) => api.get(`/v1/messages/${id}`);

describe('a linked session', () => {
  it('is connected and knows its number', () => {
    expect(session).toMatchObject({
      status: 'connected',
      mode: 'test',
      phone: expect.stringMatching(/^\+91\d{10}$/),
    });
  });

  it('delivers a message to a virtual phone, which decrypts it, and turns read after the phone reads it', async () => {
    const sent = await api.sendText(`+${PHONE}`, 'Hello from Pingr');
    expect(sent.status).toBe('queued');
    await eventually(
      () => status(sent.id),
      (message) => message.status === 'delivered',
    );
    const inbox = await api.inbox(PHONE);
    expect(inbox.at(-1)).toMatchObject({
      id: sent.whatsapp_id,
      text: 'Hello from Pingr',
      from: session.phone,
    });
    await api.post(`/v1/sandbox/phones/${PHONE}/read`);
    const read = await eventually(
      () => status(sent.id),
      (message) => message.status === 'read',
    );
    const steps = ['queued', 'sending', 'sent', 'delivered', 'read'].map((step) =>
      Date.parse(read.timestamps[step]),
    );
    expect(steps).toEqual([...steps].sort((a, b) => a - b));
  });

  it('receives what the phone writes, and replies to it', async () => {
    await api.post(`/v1/sandbox/phones/${PHONE}/messages`, {
      to: session.phone,
      text: { body: 'a question' },
    });
    const [question] = await eventually(
      () => api.get('/v1/messages?direction=inbound').then((page) => page.data),
      (found) => found.length === 1,
    );
    expect(question).toMatchObject({
      status: 'received',
      text: { body: 'a question' },
      from: { phone: PHONE },
    });
    await api.sendText(PHONE, 'an answer', { context: { message_id: question.id } });
    const inbox = await eventually(
      () => api.inbox(PHONE),
      (found) => found.at(-1)?.text === 'an answer',
    );
    expect(inbox.at(-1)).toMatchObject({
      quoted_id: question.whatsapp_id,
      quoted_from: `+${PHONE}`,
      quoted_text: 'a question',
    });
    const own = (await api.get(`/v1/messages?direction=outbound`)).data.find(
      (message: Json) => message.text.body === 'an answer',
    );
    await api.sendText(PHONE, 'and another', { context: { message_id: own.id } });
    await eventually(
      () => api.inbox(PHONE),
      (found) => found.at(-1)?.text === 'and another' && found.at(-1)?.quoted_from === session.phone,
    );
  });

  it('quotes what one phone wrote to that phone only', async () => {
    const stranger = '919876560002';
    await api.post(`/v1/sandbox/phones/${PHONE}/messages`, {
      to: session.phone,
      text: { body: 'my PIN is 4711' },
    });
    const [secret] = await eventually(
      () => api.get('/v1/messages?direction=inbound').then((page) => page.data),
      (found) => found[0]?.text.body === 'my PIN is 4711',
    );
    const refused = await api.request('POST', '/v1/messages', {
      ...{ to: stranger, type: 'text', text: { body: 'not for you' } },
      context: { message_id: secret.id },
    });
    expect(refused).toMatchObject({
      status: 422,
      body: { code: 'message.context_not_found', errors: [{ pointer: '/context/message_id' }] },
    });
    await api.sendText(stranger, 'hello');
    const inbox = await eventually(
      () => api.inbox(stranger),
      (found) => found.length > 0,
    );
    expect(inbox).toHaveLength(1);
    expect(inbox[0]).toMatchObject({ text: 'hello' });
    expect(inbox[0].quoted_id ?? null).toBeNull();
  });

  it('tells of every step as an event, in order', async () => {
    const sent = await api.sendText(PHONE, 'watched');
    const types = () =>
      api
        .get(`/v1/events?message=${sent.id}`)
        .then((page) => page.data.map((event: Json) => event.type).reverse());
    await eventually(types, (found) => found.length === 3);
    expect(await types()).toEqual(['message.queued', 'message.sent', 'message.delivered']);
  });

  it('fails a message to a number that is not on WhatsApp, with a code', async () => {
    await api.patch('/v1/sandbox/phones/919811111111', { behavior: { on_whatsapp: false } });
    const sent = await api.sendText('+91 98111 11111', 'nobody home');
    const failed = await eventually(
      () => status(sent.id),
      (message) => message.status === 'failed',
    );
    expect(failed.error.code).toBe('message.recipient_not_on_whatsapp');
  });

  it("fails a message that WhatsApp's ack refuses, with WhatsApp's number", async () => {
    await api.patch('/v1/sandbox/phones/919822222222', { behavior: { nack: { code: 463, times: 1 } } });
    const sent = await api.sendText('919822222222', 'refused');
    const failed = await eventually(
      () => status(sent.id),
      (message) => message.status === 'failed',
    );
    expect(failed.error.whatsapp_code).toBe(463);
  });

  it('has one contact however the person is addressed', async () => {
    const page = await api.get(`/v1/messages?contact=%2B${PHONE}`);
    const lids = new Set(page.data.map((message: Json) => message.contact.lid).filter(Boolean));
    expect(lids.size).toBe(1);
    expect(page.data.some((message: Json) => message.direction === 'inbound')).toBe(true);
  });

  it('comes back by itself after its connection is cut', async () => {
    await api.patch(`/v1/sandbox/phones/${session.phone}`, { cut: session.id });
    const sent = await api.sendText(PHONE, 'after the cut');
    await eventually(
      () => status(sent.id),
      (message) => message.status === 'delivered',
    );
  });

  it('is logged out when the phone removes the device, and can be linked again', async () => {
    const other = await api.linkedSession('second');
    const wrong = await api.request('DELETE', `/v1/sandbox/phones/${session.phone}/devices/${other.id}`);
    expect([wrong.status, wrong.body.code]).toEqual([409, 'sandbox.session_not_linked']);
    await api.request('DELETE', `/v1/sandbox/phones/${other.phone}/devices/${other.id}`);
    const state = () => api.get(`/v1/sessions/${other.id}`);
    await eventually(state, (found) => found.status === 'logged_out');
    await api.post(`/v1/sessions/${other.id}/restart`);
    await eventually(state, (found) => ['pairing', 'connected'].includes(found.status));
    expect((await api.request('DELETE', `/v1/sessions/${other.id}`)).status).toBe(204);
    expect((await api.request('GET', `/v1/sessions/${other.id}`)).status).toBe(404);
  });
});

describe('another account', () => {
  it('sees none of it', async () => {
    const stranger = (await world.account('Other')).test;
    const sent = await api.sendText(PHONE, 'private', { session: session.id });
    for (const path of [
      `/v1/messages/${sent.id}`,
      `/v1/sessions/${session.id}`,
      `/v1/sessions/${session.id}/qr`,
    ]) {
      expect((await stranger.request('GET', path)).status).toBe(404);
    }
    for (const path of ['/v1/messages', '/v1/sessions', '/v1/events', '/v1/sandbox/phones']) {
      expect((await stranger.get(path)).data).toEqual([]);
    }
    expect(await stranger.inbox(PHONE)).toEqual([]);
    const refused = await stranger.request('POST', '/v1/messages', {
      session: session.id,
      to: PHONE,
      type: 'text',
      text: { body: 'x' },
    });
    expect(refused).toMatchObject({ status: 422, body: { errors: [{ pointer: '/session' }] } });
  });

  it('does not share a mode: the live key of the same account sees no test session', async () => {
    const { live } = await world.account('Third');
    expect((await live.get('/v1/sessions')).data).toEqual([]);
    expect((await live.request('GET', '/v1/sandbox/phones')).status).toBe(403);
  });
});

describe('the log of all this', () => {
  it('holds neither keys nor message text', async () => {
    const log = await world.logs();
    expect(log).toContain('"msg":"request"');
    expect(log).not.toContain(api.key);
    for (const text of ['Hello from Pingr', 'a question', 'an answer', 'after the cut'])
      expect(log).not.toContain(text);
    expect(log).not.toMatch(/privKey|<Buffer/);
  });
});
