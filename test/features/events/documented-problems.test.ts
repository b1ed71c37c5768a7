import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newKeyText } from '../../../src/features/api-keys/key-text.ts';
import { newUuid, toId } from '../../../src/lib/ids.ts';
import type { Problem } from '../../../src/platform/http/problem.ts';
import { announce, type EventsApi, openEventsApi } from './open-events.ts';

interface Operation {
  operationId: string;
  responses: Record<string, { content?: Record<string, { examples?: object }> }>;
}

let api: EventsApi;
let key: string;
let accountId: string;
let addresses = 0;
const unknown = newUuid();

beforeAll(async () => {
  api = await openEventsApi();
  ({ text: key, accountId } = await api.issue());
});
afterAll(() => api.close());

interface Shot {
  method: string;
  path: string;
  body?: unknown;
  key?: string | null;
  headers?: Record<string, string>;
}

/** Sends a request from an address of its own; the code of the problem, or the status. */
async function shoot({ method, path, body, key: credential = key, headers = {} }: Shot): Promise<string> {
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const leave = new AbortController();
  const response = await fetch(`${api.edge.url}${path}`, {
    method,
    signal: leave.signal,
    headers: {
      'x-forwarded-for': `10.0.0.${++addresses % 250}`,
      ...(text === undefined ? {} : { 'content-type': 'application/json' }),
      ...(credential === null ? {} : { 'x-api-key': credential }),
      ...headers,
    },
    ...(text === undefined ? {} : { body: text }),
  });
  if (response.ok) {
    leave.abort();
    return String(response.status);
  }
  const problem: Problem = JSON.parse(await response.text());
  expect(problem.status).toBe(response.status);
  return problem.code;
}

interface Tried {
  /** A request that works. */
  good: Shot;
  /** Another body that would work. */
  other?: object;
  /** Requests that cause the problems of this operation alone. */
  own?: Record<string, () => Promise<Shot>>;
}

const operationOf = (operationId: string): Promise<Tried> => {
  const make = operations[operationId];
  if (make === undefined) throw new Error(`no requests for ${operationId}`);
  return make();
};

const operations: Record<string, () => Promise<Tried>> = {
  getAccount: async () => ({
    good: { method: 'GET', path: '/v1/account' },
    own: {
      'account.not_found': async () => {
        const gone = await api.issue();
        await shoot({ method: 'GET', path: '/v1/account', key: gone.text });
        await api.db.owner.query('delete from accounts where id = $1', [gone.accountId]);
        return { method: 'GET', path: '/v1/account', key: gone.text };
      },
    },
  }),
  updateAccount: async () => ({
    good: {
      ...{ method: 'PATCH', path: '/v1/account', body: { name: 'Acme' } },
      key: (await api.issue({ mode: 'live' }, accountId)).text,
    },
    own: {
      'account.live_key_needed': async () => ({
        ...{ method: 'PATCH', path: '/v1/account', body: { name: 'Acme' } },
      }),
      'account.not_found': async () => {
        const gone = await api.issue({ mode: 'live' });
        await shoot({ method: 'GET', path: '/v1/account', key: gone.text });
        await api.db.owner.query('delete from accounts where id = $1', [gone.accountId]);
        return { method: 'PATCH', path: '/v1/account', body: { name: 'Gone' }, key: gone.text };
      },
    },
  }),
  listApiKeys: async () => ({ good: { method: 'GET', path: '/v1/api-keys' } }),
  getApiKey: async () => {
    const { id } = await api.issue({}, accountId);
    return {
      good: { method: 'GET', path: `/v1/api-keys/${toId('apiKey', id)}` },
      own: {
        'api_key.not_found': async () => ({ method: 'GET', path: `/v1/api-keys/${toId('apiKey', unknown)}` }),
      },
    };
  },
  createApiKey: async () => {
    const weak = await api.issue({ scopes: ['api_keys:write'] }, accountId);
    const ending = await api.issue({ expiresAt: new Date(Date.now() + 3_600_000) }, accountId);
    const create = (over: object, by = key): Shot => ({
      method: 'POST',
      path: '/v1/api-keys',
      body: { name: 'x', ...over },
      key: by,
    });
    return {
      good: create({}),
      other: { name: 'another' },
      own: {
        'api_key.mode_forbidden': async () => create({ mode: 'live' }),
        'api_key.scope_forbidden': async () => create({ scopes: ['*'] }, weak.text),
        'api_key.limits_forbidden': async () => create({ expires_at: '2199-01-01T00:00:00Z' }, ending.text),
      },
    };
  },
  rotateApiKey: async () => {
    const weak = await api.issue({ scopes: ['api_keys:write'] }, accountId);
    const ending = await api.issue({ expiresAt: new Date(Date.now() + 3_600_000) }, accountId);
    const fresh = async () => (await api.issue({}, accountId)).id;
    const rotate = (id: string, by = key): Shot => ({
      method: 'POST',
      path: `/v1/api-keys/${toId('apiKey', id)}/rotate`,
      body: {},
      key: by,
    });
    return {
      good: rotate(await fresh()),
      other: { overlap_seconds: 5 },
      own: {
        'api_key.not_found': async () => rotate(unknown),
        'api_key.scope_forbidden': async () => rotate(await fresh(), weak.text),
        'api_key.limits_forbidden': async () => rotate(await fresh(), ending.text),
        'api_key.not_active': async () => {
          const id = await fresh();
          await shoot(rotate(id));
          return rotate(id);
        },
      },
    };
  },
  revokeApiKey: async () => {
    const { id } = await api.issue({}, accountId);
    return {
      good: { method: 'DELETE', path: `/v1/api-keys/${toId('apiKey', id)}` },
      own: {
        'api_key.not_found': async () => ({
          method: 'DELETE',
          path: `/v1/api-keys/${toId('apiKey', unknown)}`,
        }),
      },
    };
  },
  listEvents: async () => ({ good: { method: 'GET', path: '/v1/events' } }),
  getEvent: async () => ({
    good: { method: 'GET', path: `/v1/events/${toId('event', await announce(api.db.owner, { accountId }))}` },
    own: { 'event.not_found': async () => ({ method: 'GET', path: `/v1/events/${toId('event', unknown)}` }) },
  }),
  streamEvents: async () => ({
    good: { method: 'GET', path: '/v1/events/stream' },
    own: {
      'event.cannot_continue': async () => ({
        method: 'GET',
        path: '/v1/events/stream',
        headers: { 'last-event-id': toId('event', unknown) },
      }),
    },
  }),
};

const withFault = async (error: () => Error, shot: Shot) => {
  api.faults.database = error;
  const code = await shoot(shot);
  api.faults.database = undefined;
  return code;
};
const pgError = (code: string) => () => Object.assign(new Error('database'), { code });

/** What is wrong with the request or with us, whatever the operation. */
async function commonCodes(good: Shot): Promise<string[]> {
  const revoked = await api.issue({}, accountId);
  await api.db.owner.query('update api_keys set revoked_at = now() where id = $1', [revoked.id]);
  const expired = await api.issue({ expiresAt: new Date(0) }, accountId);
  const elsewhere = await api.issue({ allowedIps: ['203.0.113.7/32'] }, accountId);
  const weak = await api.issue({ scopes: ['none'] }, accountId);
  const limited = await api.issue({ scopes: ['*', 'limited'] });
  await shoot({ ...good, path: '/v1/account', method: 'GET', body: undefined, key: limited.text });
  const wrongKey = {
    ...good,
    key: newKeyText('test', randomBytes),
    headers: { 'x-forwarded-for': `192.0.2.${++addresses % 250}` },
  };
  const codes = [];
  for (let i = 0; i < 21; i++) codes.push(await shoot(wrongKey));
  for (const one of [
    { ...good, key: null },
    { ...good, headers: { authorization: 'Bearer other' } },
    ...[revoked, expired, elsewhere, weak, limited].map(({ text }) => ({ ...good, key: text })),
    { ...good, path: `${good.path}?no_such=1` },
  ]) {
    codes.push(await shoot(one));
  }
  codes.push(await withFault(() => new Error('bug'), good));
  codes.push(await withFault(pgError('57P01'), good));
  codes.push(await withFault(pgError('57014'), good));
  return codes;
}

async function codesOfBody(good: Shot): Promise<string[]> {
  return [
    await shoot({ ...good, body: '{' }),
    await shoot({ ...good, body: { name: 'x'.repeat(1_100_000) } }),
    await shoot({ ...good, headers: { 'content-type': 'text/plain' } }),
  ];
}

async function codesOfBodies(good: Shot, other: object | undefined): Promise<string[]> {
  const codes = [...(await codesOfBody(good)), await shoot({ ...good, headers: { 'idempotency-key': '' } })];
  const name = newUuid();
  const keyed = { ...good, headers: { 'idempotency-key': name } };
  expect(await shoot(keyed)).toBe('201');
  codes.push(await shoot({ ...keyed, body: other }));
  await api.db.owner.query('update idempotency_keys set status = null where key = $1', [name]);
  codes.push(await shoot(keyed));
  await api.db.owner.query(
    `update idempotency_keys set created_at = created_at - interval '5 minutes' where key = $1`,
    [name],
  );
  codes.push(await shoot(keyed));
  return codes;
}

describe('every problem that the reference lists', () => {
  it.each(Object.keys(operations))('of %s can be caused', async (operationId) => {
    const { paths } = (await api.edge.call('GET', '/openapi.json')).json<{
      paths: Record<string, Record<string, Operation>>;
    }>();
    const found = Object.values(paths)
      .flatMap((path) => Object.values(path))
      .find((operation) => operation.operationId === operationId);
    const documented = Object.values(found?.responses ?? {}).flatMap(({ content = {} }) =>
      Object.keys(content['application/problem+json']?.examples ?? {}),
    );
    const { good, other, own = {} } = await operationOf(operationId);

    const caused = new Set<string>();
    for (const [code, shot] of Object.entries(own)) {
      expect(await shoot(await shot())).toBe(code);
      caused.add(code);
    }
    for (const code of await commonCodes(good)) caused.add(code);
    if (good.method === 'POST') for (const code of await codesOfBodies(good, other)) caused.add(code);
    else if (good.body !== undefined) for (const code of await codesOfBody(good)) caused.add(code);
    else expect(Object.keys(found?.responses ?? {})).toContain(await shoot(good));
    expect([...caused].toSorted()).toEqual(documented.toSorted());
  });

  it('belongs to an operation that is tested here', async () => {
    const { paths } = (await api.edge.call('GET', '/openapi.json')).json<{
      paths: Record<string, Record<string, Operation>>;
    }>();
    const ids = Object.values(paths).flatMap((path) =>
      Object.values(path).map(({ operationId }) => operationId),
    );
    expect(ids.toSorted()).toEqual(Object.keys(operations).toSorted());
  });
});
