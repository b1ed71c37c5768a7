import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiClient, Json } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { createWorld, type World } from '../support/world.ts';

let world: World;
let api: ApiClient;
const PHONE = '919876543210';

beforeAll(async () => {
  world = await createWorld();
  api = (await world.account()).test;
});
afterAll(() => world.close());

const say = (to: string, text: string) =>
  api.post(`/v1/sandbox/phones/${PHONE}/messages`, { to, text: { body: text } });
/** What the phone was written; its own messages are in the inbox too. */
const texts = async () =>
  (await api.inbox(PHONE)).filter(({ from }: Json) => from !== `+${PHONE}`).map(({ text }: Json) => text);
const fired = async () => (await api.get('/v1/events?type=trigger.fired')).data;

describe('a trigger', () => {
  it('signs somebody in who writes a phrase: a link with a code, and the event with the same code', async () => {
    const session = await api.linkedSession();
    const trigger = await api.post('/v1/triggers', {
      name: 'login',
      pattern: 'login',
      reply: 'https://example.com/login?phone={{phone}}&code={{code}}',
    });
    await say(session.phone, 'Login');
    const [text] = await eventually(texts, (found) => found.length === 1);
    const code = /^https:\/\/example\.com\/login\?phone=919876543210&code=(\d{6})$/.exec(text)?.[1];
    const [event] = await eventually(fired, (found) => found.length === 1);
    expect(event.data).toMatchObject({
      trigger_id: trigger.id,
      code,
      from: { phone: PHONE },
      message: { text: { body: 'Login' } },
    });
    const reply = await eventually(
      () => api.get(`/v1/messages/${event.data.reply_message_id}`),
      (message) => message.status === 'delivered',
    );
    expect(reply).toMatchObject({ automated: true, trigger_id: trigger.id });
    expect(await api.get(`/v1/triggers/${trigger.id}`)).toMatchObject({ fired_count: 1 });
    await api.request('DELETE', `/v1/triggers/${trigger.id}`);
  });

  it('of one Pingr number does not answer that of another', async () => {
    const [one, two] = [await api.linkedSession('one'), await api.linkedSession('two')];
    await api.post('/v1/triggers', {
      name: 'any',
      match: 'any',
      reply: 'automatic',
      sessions: [one.id, two.id],
    });
    await api.sendText(two.phone, 'by hand', { session: one.id });
    const automated = async () =>
      (await api.get('/v1/messages?direction=outbound&limit=100')).data.filter(
        (message: Json) => message.automated && message.text.body === 'automatic',
      );
    await eventually(automated, (found) => found.length === 1 && found[0].status === 'delivered');
    // Two seconds are a hundred rounds of a loop.
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect(await automated()).toHaveLength(1);
    const received = () => api.get(`/v1/messages?direction=inbound&session=${one.id}`);
    const page = await eventually(received, ({ data }) => data.length > 0);
    expect(page.data.map((message: Json) => message.text.body)).toEqual(['automatic']);
  });
});
