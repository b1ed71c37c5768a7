import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { LaneHold } from '../../../src/features/messages/lane.service.ts';
import { toId } from '../../../src/lib/ids.ts';
import { contextOf } from '../../support/context.ts';
import { eventually } from '../../support/eventually.ts';
import { openTriggers, SENDER, type Triggers } from './open-triggers.ts';

interface Asked {
  headers: IncomingMessage['headers'];
  body: string;
}

let world: Triggers;
let runner: ReturnType<Triggers['start']> | undefined;
let hold: LaneHold;
let answer: (response: ServerResponse, asked: Asked) => void;
const asked: Asked[] = [];
const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const question = { headers: request.headers, body: Buffer.concat(chunks).toString() };
    asked.push(question);
    answer(response, question);
  });
});
let url: string;

beforeAll(async () => {
  world = await openTriggers();
  await waitForAnswers(60_000);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  url = `http://127.0.0.1:${port}/reply`;
});
afterAll(async () => {
  await world.close();
  server.closeAllConnections();
  server.close();
});
beforeEach(async () => {
  asked.length = 0;
  world.counted.length = 0;
  hold = await world.hold();
});

/** How long the reply URL has from here on. */
async function waitForAnswers(timeoutMs: number): Promise<void> {
  await runner?.close();
  runner = world.start({ timings: { timeoutMs } });
}

const say = async (text: string, more?: Parameters<Triggers['receive']>[2]) => {
  await world.receive(hold, text, more);
  await world.settled();
};
const texts = async () => (await world.replies(hold)).map((message) => message.text?.body);
const json = (response: ServerResponse, body: object) =>
  response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
const ask = (more: object = {}) => world.trigger(hold, { reply: null, reply_url: url, ...more });

describe('a reply URL', () => {
  it('is asked with a signature that Standard Webhooks verifies, and its text is the reply', async () => {
    answer = (response) => json(response, { reply: 'Hello {{name}}, order 7 is on its way' });
    const id = await ask();
    await say('login');
    const secret = await world.triggers.secret(contextOf(hold.accountId), id);
    const [question] = asked;
    if (question === undefined || secret === null) throw new Error('nobody was asked');
    const headers = Object.fromEntries(
      Object.entries(question.headers).map(([name, value]) => [name, String(value)]),
    );
    const body = new Webhook(secret).verify(question.body, headers);
    const [event] = await world.events(hold);
    const data = event?.data as Record<string, unknown>;
    expect(body).toEqual({
      type: 'trigger.reply',
      trigger_id: toId('trigger', id),
      name: 'login',
      mode: 'test',
      account_id: toId('account', hold.accountId),
      session_id: toId('session', hold.sessionId),
      from: { phone: SENDER, name: 'Asha' },
      message: data['message'],
    });
    expect(headers['webhook-id']).toBe(data['message_id']);
    expect(headers['x-pingr-signature']).toMatch(/^t=\d+,v1=[0-9a-f]{64}$/);
    // What the server says is said word for word.
    expect(await texts()).toEqual(['Hello {{name}}, order 7 is on its way']);
    expect(world.counted).toEqual(['asked text', 'reply sent', 'fired']);
  });

  it('may answer in plain text', async () => {
    answer = (response) => response.setHeader('content-type', 'text/plain; charset=utf-8').end('grüß dich');
    await ask();
    await say('login');
    expect(await texts()).toEqual(['grüß dich']);
  });

  it('may want no reply, which is no reason for the fallback', async () => {
    answer = (response) => response.writeHead(204).end();
    await ask({ fallback_reply: 'fallback' });
    await say('login');
    expect(await texts()).toEqual([]);
    expect(await world.events(hold)).toMatchObject([{ data: { reply_message_id: null, reply_error: null } }]);
  });

  it.each<[string, (response: ServerResponse) => void, string]>([
    ['fails', (response) => response.writeHead(500).end(), 'status 500'],
    ['redirects', (response) => response.writeHead(302, { location: '/elsewhere' }).end(), 'status 302'],
    ['drops the connection', (response) => response.destroy(), 'reset'],
    ['hangs', () => undefined, 'timeout'],
    ['answers byte by byte', (response) => void response.writeHead(200).write('{'), 'timeout'],
    [
      'answers something else',
      (response) => response.setHeader('content-type', 'text/html').end('<p>'),
      'content type',
    ],
  ])('that %s is stood in for by the fallback', async (_how, how, reason) => {
    if (reason === 'timeout') await waitForAnswers(400);
    answer = how;
    await ask({ fallback_reply: 'We are away, {{name}}. {{code}}' });
    await say('login');
    const [text] = await texts();
    const code = /^We are away, Asha\. (\d{6})$/.exec(text ?? '')?.[1];
    expect(await world.events(hold)).toMatchObject([
      {
        data: {
          code,
          reply_message_id: expect.stringMatching(/^msg_/),
          reply_error: {
            code: 'trigger.reply_url_failed',
            detail: `The reply URL gave no usable answer: ${reason}.`,
          },
        },
      },
    ]);
    expect(world.counted).toContain('asked failed');
    if (reason === 'timeout') await waitForAnswers(60_000);
  });

  it('that fails without a fallback leaves the event', async () => {
    answer = (response) => response.writeHead(503).end();
    await ask();
    await say('login');
    expect(await texts()).toEqual([]);
    expect(await world.events(hold)).toMatchObject([
      { data: { code: null, reply_message_id: null, reply_error: { code: 'trigger.reply_url_failed' } } },
    ]);
  });

  it('is not asked for a message that is too old', async () => {
    await ask();
    await say('login', { ageMs: 10 * 60_000 });
    expect(asked).toEqual([]);
    expect(await world.events(hold)).toHaveLength(1);
  });
});

describe('a reply URL that is slow', () => {
  it('delays no other sender and no other account, and keeps the order of its own sender', async () => {
    const held: (() => void)[] = [];
    answer = (response, { body }) => {
      const text: string = JSON.parse(body).message.text.body;
      const reply = () => json(response, { reply: `re: ${text}` });
      if (text === 'slow 1') held.push(reply);
      else reply();
    };
    const other = await world.hold();
    await ask({ match: 'starts_with', pattern: 'slow' });
    await world.trigger(hold, { match: 'any', pattern: null, reply: 'at once', priority: -1 });
    await world.trigger(other, { reply: 'other account' });
    await world.receive(hold, 'slow 1');
    await eventually(
      () => held.length,
      (count) => count === 1,
    );
    await world.receive(hold, 'slow 2');
    await world.receive(hold, 'slow 3', { from: '14155550100' });
    await world.receive(hold, 'hi', { from: '14155550101' });
    await world.receive(other, 'login');
    await eventually(texts, (found) => found.length === 2);
    expect(await texts()).toEqual(expect.arrayContaining(['re: slow 3', 'at once']));
    await eventually(
      () => world.replies(other),
      (found) => found.length === 1,
    );
    held[0]?.();
    await world.settled();
    expect((await texts()).slice(2)).toEqual(['re: slow 1', 're: slow 2']);
  });
});
