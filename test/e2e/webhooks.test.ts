import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../../src/platform/embedded-postgres/free-port.ts';
import type { ApiClient, Json } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { openWebhookReceiver, verifyWebhook } from '../support/webhook-receiver.ts';
import { createWorld, type World } from '../support/world.ts';

const ASHA = '919876500001';
let world: World;
let api: ApiClient;
let session: Json;

beforeAll(async () => {
  world = await createWorld({
    env: { WEBHOOK_ALLOW_LOOPBACK: 'on' },
  });
  api = (await world.account()).test;
  session = await api.linkedSession();
  await api.post('/v1/sandbox/phones', { phone: ASHA, name: 'Asha' });
});
afterAll(() => world.close());

const ashaWrites = (body: string) =>
  api.post(`/v1/sandbox/phones/${ASHA}/messages`, { to: session.phone, text: { body } });

/** Runs the example of the README; resolves once it listens. */
async function startExample(
  secret: string,
  port: number,
): Promise<{ child: ChildProcess; output: () => string }> {
  const child = spawn(process.execPath, ['examples/webhook-receiver.mjs'], {
    env: { PATH: process.env['PATH'], WEBHOOK_SECRET: secret, PORT: String(port) },
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  child.stderr.pipe(process.stderr);
  onTestFinished(() => void child.kill());
  await eventually(
    () => text,
    (found) => found.includes('listening'),
  );
  return { child, output: () => text };
}

describe('the example of the README', () => {
  it('prints who wrote, loses nothing while it is off, and gets a replay', async () => {
    const port = await freePort();
    const endpoint = await api.post('/v1/webhook-endpoints', {
      url: `http://127.0.0.1:${port}/webhooks`,
      events: ['message.received'],
    });
    const first = await startExample(endpoint.secret, port);
    await ashaWrites('hello there');
    await eventually(first.output, (text) => text.includes(`${ASHA} (Asha): hello there`));

    const gone = once(first.child, 'exit');
    first.child.kill();
    await gone;
    await ashaWrites('while you were out');
    const deliveries = () => api.get(`/v1/webhook-endpoints/${endpoint.id}/deliveries?status=pending`);
    await eventually(deliveries, (page) => page.data[0]?.attempt_count >= 1);
    const second = await startExample(endpoint.secret, port);
    await eventually(second.output, (text) => text.includes('while you were out'));
    await eventually(deliveries, (page) => page.data.length === 0);

    expect(await api.post(`/v1/webhook-endpoints/${endpoint.id}/replay`, { status: 'all' })).toMatchObject({
      replayed: 2,
    });
    await eventually(second.output, (text) => text.includes('hello there'));
    await api.request('DELETE', `/v1/webhook-endpoints/${endpoint.id}`);
  });
});

describe('a trigger', () => {
  it('answers a phrase with a link, and tells the customer with the code that is in it', async () => {
    const receiver = await openWebhookReceiver();
    onTestFinished(() => receiver.close());
    const endpoint = await api.post('/v1/webhook-endpoints', {
      url: receiver.url,
      events: ['trigger.*', 'message.*'],
    });
    const trigger = await api.post('/v1/triggers', {
      name: 'login',
      match: 'exact',
      pattern: 'login',
      reply: 'https://example.com/in?phone={{phone}}&code={{code}}',
    });
    await ashaWrites(' LOGIN ');
    const inbox = await eventually(
      () => api.inbox(ASHA),
      (found) => found.some(({ text }: Json) => text.startsWith('https://example.com')),
    );
    const reply = inbox.find(({ text }: Json) => text.startsWith('https://example.com'));
    const fired = await eventually(
      () => receiver.received.find(({ payload }) => payload.type === 'trigger.fired'),
      (found) => found !== undefined,
    );
    for (const webhook of receiver.received) verifyWebhook(webhook, endpoint.secret);
    const data: Json = fired?.payload.data;
    expect(data).toMatchObject({ trigger_id: trigger.id, from: { phone: ASHA, name: 'Asha' } });
    expect(reply.text).toBe(`https://example.com/in?phone=${ASHA}&code=${data.code}`);

    const message = await api.get(`/v1/messages/${data.reply_message_id}`);
    expect(message).toMatchObject({ automated: true, trigger_id: trigger.id, direction: 'outbound' });
    expect(await api.get(`/v1/triggers/${trigger.id}`)).toMatchObject({ fired_count: 1 });
    await api.request('DELETE', `/v1/triggers/${trigger.id}`);
  });

  it('never answers another trigger, so that two numbers cannot talk for ever', async () => {
    const second = await api.linkedSession('second');
    await api.post('/v1/triggers', { name: 'any', match: 'any', reply: 'ping', max_in_a_row: 50 });
    await api.sendText(second.phone, 'start', { session: session.id });
    const pings = async () => {
      const { data } = await api.get('/v1/messages?limit=100');
      return data.filter((message: Json) => message.text?.body === 'ping');
    };
    // The one that the second number sent, and the first received.
    await eventually(pings, (found) => found.length === 2);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect((await pings()).map(({ direction }: Json) => direction).toSorted()).toEqual([
      'inbound',
      'outbound',
    ]);
  });
});

it('leaves no secret and no text in the logs', async () => {
  const logs = await world.logs();
  expect(logs).toContain('message');
  for (const secret of ['whsec_', 'hello there', 'while you were out', 'example.com/in?phone']) {
    expect(logs).not.toContain(secret);
  }
});
