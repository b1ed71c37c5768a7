import { get, type IncomingMessage } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { PingrError } from '../../../src/lib/errors.ts';
import { frameOf, type ServerSentEvent, streamQuery } from '../../../src/platform/http/event-stream.ts';
import { requestErrors } from '../../../src/platform/http/http.errors.ts';
import { defineStream } from '../../../src/platform/http/route.ts';
import { eventually } from '../../support/eventually.ts';
import { type Edge, openEdge, principal } from './open-edge.ts';

const stream = (open: (signal: AbortSignal, last: string | undefined) => AsyncIterable<ServerSentEvent>) =>
  defineStream({
    path: '/stream',
    operationId: 'stream',
    summary: 'Test',
    tag: 'Test',
    scope: undefined,
    query: z.strictObject({ ...streamQuery, fail: z.string().optional() }),
    events: { tick: z.object({ n: z.int() }) },
    open: async ({ http, query }) => {
      if (query.fail) throw requestErrors.notAcceptable();
      return open(http.signal, http.lastEventId);
    },
  });

const untilAborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));

let edge: Edge;
afterEach(() => edge.close());

/** Opens the stream and gathers its text. */
async function listen(headers: Record<string, string> = {}, query = '') {
  let text = '';
  let ended = false;
  const response = await new Promise<IncomingMessage>((resolve) => {
    get(`${edge.url}/stream${query}`, { headers: { 'x-api-key': 'k', ...headers } }, resolve);
  });
  response.on('data', (chunk: Buffer) => (text += chunk.toString()));
  response.on('end', () => (ended = true));
  response.on('error', () => (ended = true));
  return { response, text: () => text, ended: () => ended };
}

describe('a stream', () => {
  it('sends id, type and JSON of each event, and may not be kept or buffered on the way', async () => {
    edge = await openEdge({
      routes: [
        stream(async function* () {
          yield { id: 'evt_1', event: 'tick', data: { n: 1, text: 'two\nlines' } };
          yield { event: 'tick', data: '{"n":2}' };
        }),
      ],
    });
    const { response, text, ended } = await listen();
    await expect.poll(ended).toBe(true);
    expect(response.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    expect(response.headers['cache-control']).toBe('no-store');
    expect(response.headers['x-accel-buffering']).toBe('no');
    expect(text()).toBe(
      'retry: 2000\n\nid: evt_1\nevent: tick\ndata: {"n":1,"text":"two\\nlines"}\n\nevent: tick\ndata: {"n":2}\n\n',
    );
  });

  it('continues after the Last-Event-ID, of which the header is newer than the query', async () => {
    edge = await openEdge({
      routes: [
        stream(async function* (_signal, last) {
          yield { data: { last } };
        }),
      ],
    });
    const last = async (...args: Parameters<typeof listen>) => {
      const { text, ended } = await listen(...args);
      await expect.poll(ended).toBe(true);
      return text().split('\n\n')[1];
    };
    expect(await last({ 'last-event-id': 'a' }, '?last_event_id=b')).toBe('data: {"last":"a"}');
    expect(await last({}, '?last_event_id=b')).toBe('data: {"last":"b"}');
    expect(await last()).toBe('data: {}');
  });

  it('answers what is wrong before it begins as any other request', async () => {
    edge = await openEdge({ routes: [stream(async function* () {})] });
    expect((await edge.call('GET', '/stream?fail=1')).status).toBe(406);
    expect((await edge.call('GET', '/stream?x=1')).status).toBe(422);
    expect((await edge.call('HEAD', '/stream')).status).toBe(405);
  });

  it('sends a comment while nothing happens', async () => {
    edge = await openEdge({
      heartbeatMs: 20,
      routes: [
        stream(async function* (signal) {
          await untilAborted(signal);
          yield { data: 0 };
        }),
      ],
    });
    const { response, text } = await listen();
    await expect.poll(text).toContain(': heartbeat\n\n: heartbeat\n\n');
    response.destroy();
  });

  it('asks its source for more only while the reader takes it', async () => {
    let made = 0;
    const large = 'x'.repeat(100_000);
    edge = await openEdge({
      routes: [
        stream(async function* (signal) {
          while (!signal.aborted && made < 1_000) {
            made++;
            yield { data: large };
          }
        }),
      ],
    });
    const { response } = await listen();
    response.pause();
    await eventually(
      async () => {
        const before = made;
        await new Promise((resolve) => setTimeout(resolve, 300));
        return made - before;
      },
      (more) => more === 0,
    );
    expect(made).toBeLessThan(200);
    response.destroy();
  });

  it('tells its source when the reader leaves', async () => {
    let left = false;
    edge = await openEdge({
      routes: [
        stream(async function* (signal) {
          yield { data: 1 };
          await untilAborted(signal);
          left = true;
        }),
      ],
    });
    const { response, text } = await listen();
    await expect.poll(text).toContain('data: 1');
    response.destroy();
    await expect.poll(() => left).toBe(true);
  });

  it('ends within two seconds of its key being revoked, and not because the check failed', async () => {
    let answer: 'ok' | 'revoked' | 'unknown' = 'ok';
    edge = await openEdge({
      authenticate: async () => {
        if (answer === 'unknown') throw new Error('database away');
        if (answer === 'ok') return principal();
        throw new PingrError({ code: 'auth.revoked', status: 401, title: 'No', remedy: 'No.' });
      },
      routes: [
        stream(async function* (signal) {
          yield { data: 1 };
          await untilAborted(signal);
        }),
      ],
    });
    const { ended, text } = await listen();
    await expect.poll(text).toContain('data: 1');
    answer = 'unknown';
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(ended()).toBe(false);
    answer = 'revoked';
    await expect.poll(ended).toBe(true);
  });

  it('ends once its caller may do less than when it began, and not when it may do more', async () => {
    let scopes = ['*'];
    edge = await openEdge({
      authenticate: async () => ({ ...principal(), scopes: new Set(scopes) }),
      routes: [
        stream(async function* (signal) {
          yield { data: 1 };
          await untilAborted(signal);
        }),
      ],
    });
    const first = await listen();
    await expect.poll(first.text).toContain('data: 1');
    scopes = ['messages:read'];
    await expect.poll(first.ended).toBe(true);
    const second = await listen();
    await expect.poll(second.text).toContain('data: 1');
    scopes = ['*'];
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(second.ended()).toBe(false);
  });

  it('ends when the process shuts down, at once', async () => {
    edge = await openEdge({
      routes: [
        stream(async function* (signal) {
          yield { data: 1 };
          await untilAborted(signal);
        }),
      ],
    });
    const { ended, text } = await listen();
    await expect.poll(text).toContain('data: 1');
    await edge.close();
    await expect.poll(ended).toBe(true);
  });
});

it('writes frames without what is absent', () => {
  expect(frameOf({ data: null })).toBe('data: null\n\n');
});
