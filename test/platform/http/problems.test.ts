import { connect } from 'node:net';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { PingrError } from '../../../src/lib/errors.ts';
import { databaseErrors } from '../../../src/platform/db/db.errors.ts';
import { idInput, idParams } from '../../../src/platform/http/api-fields.ts';
import { answerClientError } from '../../../src/platform/http/client-error.ts';
import { authErrors, requestErrors } from '../../../src/platform/http/http.errors.ts';
import { defineRoute } from '../../../src/platform/http/route.ts';
import { type Edge, KEY, nameView, openEdge, principal } from './open-edge.ts';

const common = { summary: 'Test', tag: 'Test', scope: 'things:write' } as const;
const answers = { 200: { description: 'Done.', schema: nameView } };

const failWith = (path: string, error: () => unknown) =>
  defineRoute({
    ...common,
    method: 'GET',
    path,
    operationId: path.slice(1),
    answers,
    handler: async () => {
      throw error();
    },
  });

const routes = [
  defineRoute({
    ...common,
    method: 'POST',
    path: '/things',
    operationId: 'createThing',
    body: z.strictObject({
      name: z.string().min(2),
      'a/b~c': z.number().optional(),
      parts: z.array(z.strictObject({ size: z.int() })).optional(),
      session: idInput('session', 'A session.').optional(),
    }),
    query: z.strictObject({ dry: z.enum(['yes', 'no']).optional() }),
    answers,
    handler: async ({ body }) => ({ status: 200, body: { name: body.name } }),
  }),
  defineRoute({
    ...common,
    method: 'GET',
    path: '/things/:id',
    operationId: 'getThing',
    params: idParams('session'),
    problems: [authErrors.conflict],
    answers,
    handler: async ({ params }) => ({ status: 200, body: { name: params.id } }),
  }),
  defineRoute({
    ...common,
    method: 'GET',
    path: '/slow',
    operationId: 'slow',
    answers,
    timeoutMs: 50,
    handler: ({ http }) =>
      new Promise((resolve) => {
        http.signal.addEventListener('abort', () => resolve({ status: 200, body: { name: 'late' } }));
      }),
  }),
  failWith('/broken', () => new Error('the secret is 42')),
  failWith('/no-database', () => Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })),
  failWith('/unavailable', () => databaseErrors.unavailable()),
  failWith('/long-statement', () => Object.assign(new Error('canceling statement'), { code: '57014' })),
  failWith('/wait', () => requestErrors.notAcceptable({ retryAfter: 7.2, detail: 'Wait a little.' })),
  failWith('/own-schema', () => z.object({ a: z.string() }).parse({})),
];

let edge: Edge;
beforeAll(async () => {
  edge = await openEdge({
    routes,
    failureLimit: 3,
    authenticate: async (key) => {
      if (key === 'weak') return principal({ scopes: new Set(['things:read']) });
      if (key !== KEY) throw new PingrError({ code: 'auth.x', status: 401, title: 'No', remedy: 'No.' });
      return principal();
    },
  });
});
afterAll(() => edge.close());

describe('a problem', () => {
  it('is an RFC 9457 document with the code, the path without its query, and the request id', async () => {
    const { status, headers, json } = await edge.call('GET', '/nowhere?secret=1');
    expect(status).toBe(404);
    expect(headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(json()).toEqual({
      type: '/errors/request.path_not_found',
      title: 'No such path',
      status: 404,
      code: 'request.path_not_found',
      instance: '/nowhere',
      request_id: headers.get('x-request-id'),
    });
  });

  it('has a type that can be looked up', async () => {
    const { json } = await edge.call('GET', '/errors/request.path_not_found');
    expect(json()).toMatchObject({ status: 404, remedy: 'The paths are listed at /docs.' });
    expect((await edge.call('GET', '/errors/no.such')).status).toBe(404);
  });
});

describe('the input', () => {
  it('is refused with every wrong field of body and query at once', async () => {
    const body = {
      nam: 'x',
      'a/b~c': 'no',
      parts: [{ size: 1 }, { size: 1.5, colour: 'red' }],
      session: 'msg_1',
    };
    const { status, json } = await edge.call('POST', '/things?dry=maybe&wet=1', body);
    expect(status).toBe(422);
    expect(json()).toMatchObject({ code: 'request.invalid', detail: '/name is required.' });
    expect(json().errors).toEqual([
      { pointer: '/name', detail: 'is required' },
      { pointer: '/a~1b~0c', detail: 'must be a number' },
      { pointer: '/parts/1/size', detail: 'must be a whole number' },
      { pointer: '/parts/1/colour', detail: 'is not a known field' },
      { pointer: '/session', detail: 'is not an id of the form ses_…' },
      { pointer: '/nam', detail: 'is not a known field' },
      { pointer: '?dry', detail: 'must be one of "yes", "no"' },
      { pointer: '?wet', detail: 'is not a known parameter' },
    ]);
  });

  it.each([
    ['an absent body', undefined, 'is required'],
    ['an empty body', '  ', 'is required'],
    ['a list', [], 'must be an object'],
  ])('that is %s is refused as a whole', async (_what, body, detail) => {
    const { status, json } = await edge.call('POST', '/things', body);
    expect(status).toBe(422);
    expect(json().errors).toEqual([{ pointer: '', detail }]);
  });

  it('is refused where the operation takes none', async () => {
    const { status, json } = await edge.call('GET', '/broken?x=1');
    expect(status).toBe(422);
    expect(json().errors).toEqual([{ pointer: '?x', detail: 'is not a known parameter' }]);
  });

  it('with a path id of another kind is not found', async () => {
    const { status, json } = await edge.call('GET', '/things/msg_01h455vb4pex5vsknk084sn02q');
    expect([status, json().code]).toEqual([404, 'request.path_not_found']);
  });

  it('that is not JSON is refused with the place', async () => {
    const { status, json } = await edge.call('POST', '/things', '{\n  "name": oops }');
    expect([status, json().code]).toEqual([400, 'request.malformed_json']);
    expect(json().detail).toBe('The body stops being JSON at line 2, column 11.');
  });

  it('may be nested however deep', async () => {
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    const key = { 'idempotency-key': 'deep' };
    expect((await edge.call('POST', '/things', `{"name":${deep}}`, key)).status).toBe(422);
    expect((await edge.call('POST', '/things', '['.repeat(500_000))).status).toBe(400);
  });

  it('must be text that can be stored', async () => {
    const body = '{"name":"a\\u0000b","parts":[]}';
    const { status, json } = await edge.call('POST', '/things', body);
    expect([status, json().code]).toEqual([422, 'request.invalid']);
    expect(json().errors).toEqual([{ pointer: '/name', detail: 'must not hold a NUL character' }]);
    const half = await edge.call('POST', '/things', '{"name":"a\\ud83d"}');
    expect(half.json().errors).toEqual([
      { pointer: '/name', detail: 'must not hold half of a surrogate pair' },
    ]);
    const whole = await edge.call('POST', '/things', { name: '😀 naïve' });
    expect(whole.status).toBe(200);
  });

  it('cannot reach the prototype', async () => {
    const { status, json } = await edge.call('POST', '/things', '{"name":"ok","__proto__":{"admin":true}}');
    expect(status).toBe(422);
    expect(json().errors).toEqual([{ pointer: '/__proto__', detail: 'is not a known field' }]);
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/xml'])(
    'of type %s is refused',
    async (type) => {
      const { status, json } = await edge.call('POST', '/things', 'name=x', { 'content-type': type });
      expect([status, json().code]).toEqual([415, 'request.unsupported_media_type']);
    },
  );

  it('over 1 MB is refused', async () => {
    const { status, json } = await edge.call('POST', '/things', { name: 'x'.repeat(1_100_000) });
    expect([status, json().code]).toEqual([413, 'request.body_too_large']);
  });
});

describe('paths and methods', () => {
  it('answer a method that a known path does not take with 405 and Allow', async () => {
    const { status, headers, json } = await edge.call('PUT', '/things');
    expect([status, json().code]).toEqual([405, 'request.method_not_allowed']);
    expect(headers.get('allow')).toBe('OPTIONS, POST');
    expect((await edge.call('DELETE', '/things/x')).headers.get('allow')).toBe('GET, HEAD, OPTIONS');
  });

  it('answer OPTIONS with the methods, and HEAD like GET without the body', async () => {
    const options = await edge.call('OPTIONS', '/things');
    expect([options.status, options.headers.get('allow'), options.text]).toEqual([204, 'OPTIONS, POST', '']);
    const head = await edge.call('HEAD', '/things/ses_01h455vb4pex5vsknk084sn02q');
    expect([head.status, head.text]).toEqual([200, '']);
    expect(Number(head.headers.get('content-length'))).toBeGreaterThan(10);
  });

  it.each(['//', '///x', '/things//', '/%00', '/things?%zz'])(
    'as odd as %s are no fault of ours',
    async (path) => {
      const { status } = await edge.call('GET', path);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
    },
  );

  it('that cannot be decoded are refused', async () => {
    const { status, json } = await edge.call('GET', '/things/%zz');
    expect([status, json().code]).toEqual([400, 'request.malformed']);
  });
});

describe('the credential', () => {
  it('must be there', async () => {
    const response = await fetch(`${edge.url}/slow`);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="pingr"');
    expect(await response.json()).toMatchObject({ code: 'auth.key_missing' });
  });

  it('may come in either header, or the same in both', async () => {
    const id = '/things/ses_01h455vb4pex5vsknk084sn02q';
    const bearer = { authorization: `bearer ${KEY}` };
    expect((await fetch(`${edge.url}${id}`, { headers: bearer })).status).toBe(200);
    expect((await edge.call('GET', id, undefined, bearer)).status).toBe(200);
    const two = await edge.call('GET', id, undefined, { authorization: 'Bearer another' });
    expect([two.status, two.json().code]).toEqual([400, 'auth.keys_conflict']);
  });

  it('must have the scope, which the problem names', async () => {
    const { status, json } = await edge.call('GET', '/slow', undefined, { 'x-api-key': 'weak' });
    expect([status, json().code]).toEqual([403, 'auth.scope_missing']);
    expect(json().detail).toContain('things:write');
  });

  it('is limited per address when it is wrong, while right ones go on', async () => {
    const codes = [];
    for (let i = 0; i < 5; i++) {
      const { json, headers } = await edge.call('GET', '/slow', undefined, { 'x-api-key': 'wrong' });
      codes.push([json().code, Number(headers.get('retry-after')) > 0]);
    }
    expect(codes).toEqual([
      ['auth.x', false],
      ['auth.x', false],
      ['auth.x', false],
      ['auth.too_many_failures', true],
      ['auth.too_many_failures', true],
    ]);
    expect((await edge.call('GET', '/things/ses_01h455vb4pex5vsknk084sn02q')).status).toBe(200);
  });
});

describe('our own failures', () => {
  it('are 500 without a word of the reason, which is logged with the request id', async () => {
    const { status, json, text } = await edge.call('GET', '/broken');
    expect([status, json().code]).toEqual([500, 'service.unexpected']);
    expect(text).not.toContain('secret');
    const line = edge.lines.find((logged) => logged['msg'] === 'request failed');
    expect(line).toMatchObject({
      level: 'error',
      request_id: json().request_id,
      err: { reason: 'the secret is 42' },
    });
  });

  it('include data that breaks a schema of ours, which is no fault of the caller', async () => {
    expect((await edge.call('GET', '/own-schema')).json().code).toBe('service.unexpected');
  });

  it.each(['/no-database', '/unavailable'])(
    'of the database at %s are 503 with a time to retry',
    async (path) => {
      const { status, json, headers } = await edge.call('GET', path);
      expect([status, json().code]).toEqual([503, 'service.database_unavailable']);
      expect(headers.get('retry-after')).toBe('2');
    },
  );

  it.each(['/slow', '/long-statement'])('to answer in time at %s are 503', async (path) => {
    const { status, json } = await edge.call('GET', path);
    expect([status, json().code]).toEqual([503, 'service.timeout']);
  });

  it('carry whole seconds to wait', async () => {
    expect((await edge.call('GET', '/wait')).headers.get('retry-after')).toBe('8');
  });
});

describe('what is not HTTP', () => {
  it('or did not arrive in time is answered too', async () => {
    const socket = new PassThrough();
    answerClientError(
      Object.assign(new Error('late'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }),
      socket,
      'req_1',
    );
    expect((await socket.toArray()).join('')).toMatch(/^HTTP\/1\.1 408 .*"code":"request.timeout"/s);
    const gone = new PassThrough();
    answerClientError(Object.assign(new Error('gone'), { code: 'ECONNRESET' }), gone, 'req_1');
    expect(gone.destroyed).toBe(true);
  });

  const exchange = (text: string) =>
    new Promise<string>((resolve, reject) => {
      const { hostname, port } = new URL(edge.url);
      let answer = '';
      const socket = connect(Number(port), hostname, () => socket.write(text));
      socket.on('data', (chunk) => (answer += chunk.toString()));
      socket.on('end', () => resolve(answer));
      socket.on('error', reject);
    });

  it('is answered with a problem on the socket', async () => {
    const answer = await exchange('NONSENSE\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(answer).toContain('"code":"request.malformed"');
  });

  it('has no headers over 16 KB', async () => {
    const answer = await exchange(`GET / HTTP/1.1\r\nhost: x\r\nx-long: ${'x'.repeat(20_000)}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect(answer).toContain('"code":"request.headers_too_large"');
  });
});
