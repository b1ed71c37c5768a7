import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { newUuid } from '../../../src/lib/ids.ts';
import type { Principal } from '../../../src/platform/http/admission.ts';
import { authErrors } from '../../../src/platform/http/http.errors.ts';
import { defineRoute } from '../../../src/platform/http/route.ts';
import { type Edge, KEY, nameBody, nameView, openEdge, principal } from './open-edge.ts';

const routes = [
  defineRoute({
    method: 'GET',
    path: '/slow',
    operationId: 'slow',
    summary: 'Slow',
    tag: 'Things',
    scope: undefined,
    answers: { 204: { description: 'Nothing.' } },
    handler: async () => {
      await new Promise((resolve) => setTimeout(resolve, 200));
      return { status: 204 };
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/things/:id',
    operationId: 'createThing',
    summary: 'Make a thing',
    description: 'It is made.',
    tag: 'Things',
    scope: 'things:write',
    cost: 3,
    idempotency: 'none',
    params: z.object({ id: z.string().meta({ description: 'Id.', example: '1' }) }),
    body: nameBody,
    answers: { 201: { description: 'The thing.', schema: nameView } },
    handler: async ({ body }) => {
      const leaky = { name: body.name, password: 'hidden' };
      return { status: 201, body: leaky, headers: { location: '/things/1' } };
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/picture',
    operationId: 'getPicture',
    summary: 'Get it',
    tag: 'Things',
    scope: undefined,
    answers: {
      200: {
        description: 'The picture.',
        schema: nameView,
        media: { 'image/png': z.string().meta({ description: 'Bytes.' }) },
      },
    },
    handler: async ({ http, ctx }) => {
      ctx.log.info({ message: 'secret text' }, 'drawing');
      if (http.accept === 'application/json')
        return { status: 200, body: { name: String(http.rateLimit.remaining) } };
      return { status: 200, media: 'image/png', bytes: Buffer.from([1, 2, 3]) };
    },
  }),
];

let edge: Edge;
let healthy: Record<string, () => Promise<unknown>> = {};
beforeAll(async () => {
  edge = await openEdge({
    routes,
    limit: 50,
    trustProxy: 1,
    health: {
      checks: { database: async () => healthy['database']?.(), queue: async () => healthy['queue']?.() },
      timeoutMs: 50,
      gather: async () => 'pingr_up 1\n',
      metricsToken: 'a-token-of-metrics',
    },
  });
});
afterAll(() => edge.close());

describe('an answer', () => {
  it('holds what its schema names and nothing else', async () => {
    const { status, text, headers } = await edge.call('POST', '/things/1', { name: 'ok' });
    expect([status, text, headers.get('location')]).toEqual([201, '{"name":"ok"}', '/things/1']);
  });

  it('may have another media type', async () => {
    const { headers, text } = await edge.call('GET', '/picture');
    expect([headers.get('content-type'), text]).toEqual(['image/png', '\u0001\u0002\u0003']);
  });

  it('tells the limit, the cost of the call being taken off', async () => {
    const before = await edge.call('GET', '/picture', undefined, { accept: 'application/json' });
    const left = Number(before.headers.get('ratelimit-remaining'));
    expect(before.json()).toEqual({ name: String(left) });
    const { headers } = await edge.call('POST', '/things/1', { name: 'ok' });
    expect(headers.get('ratelimit-limit')).toBe('50');
    expect(headers.get('ratelimit-remaining')).toBe(String(left - 3));
    expect(headers.get('ratelimit-policy')).toBe('"default";q=50;w=60');
    expect(headers.get('ratelimit')).toMatch(/^"default";r=\d+;t=\d+$/);
    expect(Number(headers.get('ratelimit-reset'))).toBeGreaterThan(0);
  });

  it("carries a request id, the caller's own where it is sane", async () => {
    const id = async (given: string) =>
      (await edge.call('GET', '/healthz', undefined, { 'x-request-id': given })).headers.get('x-request-id');
    expect(await id('my-request-0001')).toBe('my-request-0001');
    for (const odd of ['short', 'with space in it', 'x'.repeat(129), '<script>alert(1)</script>']) {
      expect(await id(odd)).toMatch(/^req_[0-9a-z]{26}$/);
    }
  });
});

describe('the log', () => {
  it('has one line a request, with the pattern of the path and without query, body or key', async () => {
    await edge.call(
      'POST',
      '/things/919876543210',
      { name: 'the body' },
      { 'x-forwarded-for': '203.0.113.9' },
    );
    const line = () => edge.lines.findLast(({ route }) => route === '/things/:id');
    await expect.poll(() => line()?.['ip']).toBe('203.0.113.9');
    expect(line()).toMatchObject({
      msg: 'request',
      method: 'POST',
      status: 201,
      account: 'acc_1',
      key: 'key_1',
      request_id: expect.stringMatching(/^req_/),
      ms: expect.any(Number),
    });
    const all = JSON.stringify(edge.lines);
    for (const secret of ['919876543210', 'the body', KEY, 'secret text']) expect(all).not.toContain(secret);
  });

  it('has a line for who left before the answer', async () => {
    const leave = new AbortController();
    const gone = fetch(`${edge.url}/slow`, { headers: { 'x-api-key': KEY }, signal: leave.signal });
    setTimeout(() => leave.abort(), 30);
    await expect(gone).rejects.toThrow();
    await expect.poll(() => edge.lines.find(({ route }) => route === '/slow')).toMatchObject({ left: true });
  });

  it('has lines of use cases with the request id and the caller', async () => {
    const { headers } = await edge.call('GET', '/picture');
    const line = edge.lines.find(
      ({ msg, request_id: id }) => msg === 'drawing' && id === headers.get('x-request-id'),
    );
    expect(line).toMatchObject({ account: 'acc_1', key: 'key_1', message: '[redacted]' });
  });
});

describe('health', () => {
  it('is alive whatever its dependencies do', async () => {
    const { status, text } = await edge.call('GET', '/healthz');
    expect([status, text]).toEqual([200, '{"status":"ok"}']);
  });

  it('is ready when every check passes, and names those that do not', async () => {
    const ready = await edge.call('GET', '/readyz');
    expect([ready.status, ready.json()]).toEqual([
      200,
      { status: 'ready', checks: { database: 'ok', queue: 'ok' } },
    ]);
    healthy = { database: () => Promise.reject(new Error('password')), queue: () => new Promise(() => {}) };
    const { status, json } = await edge.call('GET', '/readyz');
    expect(status).toBe(503);
    expect(json()).toEqual({ status: 'not_ready', checks: { database: 'failed', queue: 'timed_out' } });
    healthy = {};
  });

  it('shows metrics to who has the token', async () => {
    expect((await edge.call('GET', '/metrics')).status).toBe(401);
    const ok = await edge.call('GET', '/metrics', undefined, { authorization: 'Bearer a-token-of-metrics' });
    expect([ok.status, ok.text]).toEqual([200, 'pingr_up 1\n']);
  });
});

it('counts wrong keys of one IPv6 network together', async () => {
  const small = await openEdge({
    routes,
    trustProxy: true,
    failureLimit: 1,
    authenticate: () => Promise.reject(authErrors.missing()),
  });
  const status = async (ip: string) =>
    (await small.call('GET', '/picture', undefined, { 'x-forwarded-for': ip })).status;
  expect(await status('2001:db8:1:2::1')).toBe(401);
  expect(await status('2001:db8:1:2:ffff::9')).toBe(429);
  expect(await status('2001:db8:1:3::1')).toBe(401);
  expect(await status('203.0.113.1')).toBe(401);
  expect(await status('203.0.113.2')).toBe(401);
  await small.close();
});

it('counts requests by route and status', async () => {
  const other = await openEdge({ routes });
  await other.call('GET', '/picture?x=1');
  await expect
    .poll(async () => (await other.call('GET', '/metrics')).text)
    .toContain('pingr_http_request_duration_seconds_count{method="GET",route="/picture",status="422"} 1');
  await other.close();
});

it('refuses requests over the limit with the time to wait', async () => {
  const small = await openEdge({ routes, limit: 2 });
  const codes = [];
  for (let i = 0; i < 4; i++) codes.push((await small.call('GET', '/picture')).status);
  expect(codes).toEqual([200, 200, 429, 429]);
  const { json, headers } = await small.call('GET', '/picture');
  expect(json()).toMatchObject({
    code: 'rate_limit.exceeded',
    detail: 'The limit is 2 requests per 60 seconds.',
  });
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(50);
  expect(headers.get('ratelimit-remaining')).toBe('0');
  await small.close();
});

it('counts the keys of an account and mode together, and people by themselves, each under its own limit', async () => {
  const accountId = newUuid();
  const key = () => ({ type: 'api_key', id: newUuid() }) as const;
  const person = { type: 'user', id: newUuid(), role: 'owner' } as const;
  const callers: Record<string, Principal> = {
    first: principal({ accountId, actor: key() }),
    second: principal({ accountId, actor: key() }),
    live: principal({ accountId, mode: 'live', actor: key() }),
    person: principal({ accountId, actor: person }),
    personLive: principal({ accountId, mode: 'live', actor: person }),
    stranger: principal({ actor: key() }),
  };
  const shared = await openEdge({
    routes,
    rateLimitOf: ({ mode }) => (mode === 'test' ? 2 : 1),
    authenticate: async (credential) => callers[credential] ?? principal(),
  });
  const call = async (name: string) =>
    (await shared.call('GET', '/picture', undefined, { 'x-api-key': name })).status;
  expect([await call('first'), await call('second'), await call('first'), await call('second')]).toEqual([
    200, 200, 429, 429,
  ]);
  expect([await call('live'), await call('person'), await call('stranger')]).toEqual([200, 200, 200]);
  expect([await call('personLive'), await call('personLive'), await call('person')]).toEqual([200, 429, 200]);
  await shared.close();
});
