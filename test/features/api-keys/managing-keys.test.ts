import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromId, newUuid, toId } from '../../../src/lib/ids.ts';
import { type Api, openApi } from './open-api.ts';

interface Key {
  id: string;
  key: string | null;
  mode: string;
  status: string;
  hint: string;
  name: string;
  scopes: string[];
  allowed_ips: string[] | null;
  expires_at: string | null;
  revoked_at: string | null;
  rotated_to: string | null;
  last_used_at: string | null;
}

let api: Api;
let test: { text: string; accountId: string; id: string };
let live: typeof test;
beforeAll(async () => {
  api = await openApi();
  test = await api.issue();
  live = await api.issue({ mode: 'live' }, test.accountId);
});
afterAll(() => api.close());

const create = (body: unknown, key = test.text, headers = {}) =>
  api.call(key, 'POST', '/v1/api-keys', body, headers);
const works = async (key: string) => (await api.call(key, 'GET', '/v1/account')).status;

const LIMITS = { expires_at: '2199-01-01T00:00:00.000Z', allowed_ips: ['127.0.0.0/8', '::1/128'] };

/** A key that ends, and works from here alone. */
async function boundKey(): Promise<string> {
  const limits = { expiresAt: new Date(LIMITS.expires_at), allowedIps: LIMITS.allowed_ips };
  return (await api.issue(limits, test.accountId)).text;
}

describe('creating a key', () => {
  it('answers with the key once; the database holds only its hash', async () => {
    const { status, json } = await create({ name: ' billing ' });
    const key = json<Key>();
    expect(status).toBe(201);
    expect(key).toMatchObject({
      name: 'billing',
      mode: 'test',
      status: 'active',
      scopes: ['*'],
      expires_at: null,
      allowed_ips: null,
    });
    expect(key.key?.startsWith(key.hint)).toBe(true);
    expect(await works(key.key ?? '')).toBe(200);

    const { rows } = await api.db.owner.query('select k::text as row, hash from api_keys k where id = $1', [
      fromId('apiKey', key.id),
    ]);
    expect(rows[0].row).not.toContain(key.key?.slice(12));
    expect(rows[0].hash).toHaveLength(32);
    const shown = await api.call(test.text, 'GET', `/v1/api-keys/${key.id}`);
    expect(shown.json()).not.toHaveProperty('key');
  });

  it('takes mode, scopes, an end and addresses', async () => {
    const { status, json } = await create(
      {
        name: 'narrow',
        mode: 'live',
        scopes: ['messages:write', 'messages:write'],
        expires_at: '2199-01-01T05:30:00+05:30',
        allowed_ips: ['203.0.113.7', '2001:db8::/32'],
      },
      live.text,
    );
    expect(status).toBe(201);
    expect(json<Key>()).toMatchObject({
      mode: 'live',
      scopes: ['messages:write'],
      expires_at: '2199-01-01T00:00:00.000Z',
      allowed_ips: ['203.0.113.7/32', '2001:db8::/32'],
    });
  });

  it.each([
    [{}, [['/name', 'is required']]],
    [{ name: '  ' }, [['/name', 'must have at least 1 character']]],
    [{ name: 'x', mode: 'prod' }, [['/mode', 'must be one of "test", "live"']]],
    [{ name: 'x', scopes: [] }, [['/scopes', 'must have at least 1 item']]],
    [{ name: 'x', expires_at: '2001-01-01T00:00:00Z' }, [['/expires_at', 'must be in the future']]],
    [{ name: 'x', expires_at: '9999-12-31T23:59:59-14:00' }, [['/expires_at', 'is out of range']]],
    [
      { name: 'x', expires_at: 'tomorrow' },
      [['/expires_at', 'must be an ISO 8601 time with a zone, such as 2026-11-21T09:00:00Z']],
    ],
    [
      { name: 'x', allowed_ips: ['10.0.0.1', '10.0.0.1/8'] },
      [['/allowed_ips/1', 'has bits set beyond its prefix length']],
    ],
    [{ name: 'x', key: 'pk_test_mine' }, [['/key', 'is not a known field']]],
  ])('refuses %j', async (body, errors) => {
    const { status, json } = await create(body);
    expect([status, json().code]).toEqual([422, 'request.invalid']);
    expect(json().errors?.map(({ pointer, detail }) => [pointer, detail])).toEqual(errors);
  });

  it('passes on no more than the caller has', async () => {
    const { text: weak } = await api.issue({ scopes: ['api_keys:write', 'messages:read'] }, test.accountId);
    const wider = await create({ name: 'x', scopes: ['messages:read', 'messages:write'] }, weak);
    expect([wider.status, wider.json().code]).toEqual([403, 'api_key.scope_forbidden']);
    expect(wider.json().detail).toContain('messages:write');
    expect((await create({ name: 'x', scopes: ['*'] }, weak)).status).toBe(403);
    expect((await create({ name: 'x' }, weak)).json<Key>().scopes).toEqual([
      'api_keys:write',
      'messages:read',
    ]);
    const mode = await create({ name: 'x', mode: 'live' });
    expect([mode.status, mode.json().code]).toEqual([403, 'api_key.mode_forbidden']);
    const { text: reader } = await api.issue({ scopes: ['api_keys:read'] }, test.accountId);
    expect((await create({ name: 'x' }, reader)).json().code).toBe('auth.scope_missing');
  });

  it('binds it by what binds the caller, where nothing tighter is asked for', async () => {
    const bound = await boundKey();
    const inherited = await create({ name: 'x' }, bound);
    expect([inherited.status, inherited.json()]).toMatchObject([201, LIMITS]);
    const tighter = { expires_at: '2198-01-01T00:00:00.000Z', allowed_ips: ['127.0.0.1/32'] };
    expect((await create({ name: 'x', ...tighter }, bound)).json()).toMatchObject(tighter);
  });

  it.each([
    [{ expires_at: '2200-01-01T00:00:00Z' }, '/expires_at'],
    [{ allowed_ips: ['127.0.0.1', '203.0.113.7'] }, '/allowed_ips'],
    [{ allowed_ips: ['0.0.0.0/0'] }, '/allowed_ips'],
  ])('does not unbind the caller by %j', async (wider, pointer) => {
    const { status, json } = await create({ name: 'x', ...wider }, await boundKey());
    expect([status, json().code, json().errors]).toMatchObject([
      403,
      'api_key.limits_forbidden',
      [{ pointer }],
    ]);
  });

  it('makes one key for one Idempotency-Key, and does not repeat its text', async () => {
    const headers = { 'idempotency-key': 'make-once' };
    const first = (await create({ name: 'once' }, test.text, headers)).json<Key>();
    const again = await create({ name: 'once' }, test.text, headers);
    expect(again.status).toBe(201);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(again.json()).toEqual({ ...first, key: null });
  });
});

describe('seeing keys', () => {
  it('a test key sees test keys of its account, a live key those of both modes', async () => {
    const other = await api.issue();
    const ids = async (key: string) => {
      const { json } = await api.call(key, 'GET', '/v1/api-keys?limit=100');
      return json<{ data: Key[] }>().data.map(({ id }) => fromId('apiKey', id));
    };
    expect(await ids(test.text)).toContain(test.id);
    expect(await ids(test.text)).not.toContain(live.id);
    expect(await ids(live.text)).toEqual(expect.arrayContaining([test.id, live.id]));
    expect(await ids(other.text)).toEqual([other.id]);
    for (const [key, id, status] of [
      [test.text, live.id, 404],
      [live.text, test.id, 200],
      [other.text, test.id, 404],
      [test.text, newUuid(), 404],
    ] as const) {
      const answer = await api.call(key, 'GET', `/v1/api-keys/${toId('apiKey', id)}`);
      expect(answer.status).toBe(status);
      if (status === 404) expect(answer.json().code).toBe('api_key.not_found');
    }
  });

  it('pages through all of them, newest first', async () => {
    const { text, accountId } = await api.issue();
    const made = [];
    for (let i = 0; i < 5; i++) made.unshift((await api.issue({}, accountId)).id);
    const seen: string[] = [];
    let path: string | null = '/v1/api-keys?limit=2';
    while (path !== null) {
      const page: { data: Key[]; has_more: boolean; next_cursor: string | null } = (
        await api.call(text, 'GET', path)
      ).json();
      seen.push(...page.data.map(({ id }) => fromId('apiKey', id) ?? ''));
      path = page.next_cursor && `/v1/api-keys?limit=2&after=${page.next_cursor}`;
    }
    expect(seen.slice(0, 5)).toEqual(made);
    expect(seen).toHaveLength(6);
  });

  it('refuses wrong parameters and ids', async () => {
    expect((await api.call(test.text, 'GET', '/v1/api-keys?after=!')).status).toBe(422);
    expect(
      (await api.call(test.text, 'GET', '/v1/api-keys/ses_01h455vb4pex5vsknk084sn02q')).json().code,
    ).toBe('api_key.not_found');
    const { text } = await api.issue({ scopes: ['messages:read'] });
    expect((await api.call(text, 'GET', '/v1/api-keys')).status).toBe(403);
  });
});

describe('revoking a key', () => {
  it('ends it at once, for good and however often', async () => {
    const key = await api.issue({}, test.accountId);
    expect(await works(key.text)).toBe(200);
    const revoke = () => api.call(test.text, 'DELETE', `/v1/api-keys/${toId('apiKey', key.id)}`);
    expect((await revoke()).status).toBe(204);
    await expect.poll(() => works(key.text)).toBe(401);
    expect((await api.call(key.text, 'GET', '/v1/account')).json().code).toBe('auth.key_revoked');
    const before = (await api.call(test.text, 'GET', `/v1/api-keys/${toId('apiKey', key.id)}`)).json<Key>();
    expect(before.status).toBe('revoked');
    expect((await revoke()).status).toBe(204);
    const after = (await api.call(test.text, 'GET', `/v1/api-keys/${toId('apiKey', key.id)}`)).json<Key>();
    expect(after.revoked_at).toBe(before.revoked_at);
  });

  it('is open to whoever writes keys, also for one that may do more', async () => {
    const strong = await api.issue({}, test.accountId);
    const { text: weak } = await api.issue({ scopes: ['api_keys:write'] }, test.accountId);
    const { status } = await api.call(weak, 'DELETE', `/v1/api-keys/${toId('apiKey', strong.id)}`);
    expect(status).toBe(204);
    await expect.poll(() => works(strong.text)).toBe(401);
  });

  it('is 404 for a key that the caller cannot see, which goes on working', async () => {
    const other = await api.issue();
    for (const id of [other.id, live.id, newUuid()]) {
      const { status, json } = await api.call(test.text, 'DELETE', `/v1/api-keys/${toId('apiKey', id)}`);
      expect([status, json().code]).toEqual([404, 'api_key.not_found']);
    }
    expect(await works(other.text)).toBe(200);
  });
});

describe('rotating a key', () => {
  const rotate = (id: string, body?: unknown, key = test.text) =>
    api.call(key, 'POST', `/v1/api-keys/${toId('apiKey', id)}/rotate`, body);

  it('makes a key like it; the old one lives on for a day, or as long as said', async () => {
    const old = await api.issue(
      { name: 'web', scopes: ['account:read'], allowedIps: ['127.0.0.0/8', '::1/128'] },
      test.accountId,
    );
    const { status, json } = await rotate(old.id);
    const fresh = json<Key>();
    expect(status).toBe(201);
    expect(fresh).toMatchObject({
      name: 'web',
      scopes: ['account:read'],
      allowed_ips: ['127.0.0.0/8', '::1/128'],
      status: 'active',
    });
    expect([await works(old.text), await works(fresh.key ?? '')]).toEqual([200, 200]);

    const shown = (await api.call(test.text, 'GET', `/v1/api-keys/${toId('apiKey', old.id)}`)).json<Key>();
    expect(shown.rotated_to).toBe(fresh.id);
    expect(Math.abs(Date.parse(shown.expires_at ?? '') - Date.now() - 86_400_000)).toBeLessThan(10_000);

    api.clock.ahead = 86_401_000;
    expect([await works(old.text), await works(fresh.key ?? '')]).toEqual([401, 200]);
    expect((await api.call(old.text, 'GET', '/v1/account')).json().code).toBe('auth.key_expired');
    api.clock.ahead = 0;
  });

  it('with no overlap ends the old one at once', async () => {
    const old = await api.issue({}, test.accountId);
    expect(await works(old.text)).toBe(200);
    await rotate(old.id, { overlap_seconds: 0 });
    await expect.poll(() => works(old.text)).toBe(401);
  });

  it('never lets a key live longer than it would have', async () => {
    const end = new Date(Date.now() + 60_000);
    const old = await api.issue({ expiresAt: end }, test.accountId);
    const fresh = (await rotate(old.id, { overlap_seconds: 604_800 })).json<Key>();
    const shown = (await api.call(test.text, 'GET', `/v1/api-keys/${toId('apiKey', old.id)}`)).json<Key>();
    expect([shown.expires_at, fresh.expires_at]).toEqual([end.toISOString(), end.toISOString()]);
  });

  it('works once, and for active keys only', async () => {
    const old = await api.issue({}, test.accountId);
    const answers = await Promise.all([rotate(old.id), rotate(old.id)]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409]);
    const revoked = await api.issue({}, test.accountId);
    await api.call(test.text, 'DELETE', `/v1/api-keys/${toId('apiKey', revoked.id)}`);
    expect((await rotate(revoked.id)).json().code).toBe('api_key.not_active');
  });

  it('gives no caller rights that it lacks', async () => {
    const { text: weak } = await api.issue({ scopes: ['api_keys:write'] }, test.accountId);
    const { status, json } = await rotate(test.id, {}, weak);
    expect([status, json().code]).toEqual([403, 'api_key.scope_forbidden']);
    expect((await rotate(live.id)).status).toBe(404);
  });

  it('hands no caller a key that ends later or works from more addresses than its own', async () => {
    const { status, json } = await rotate(test.id, {}, await boundKey());
    expect([status, json().code]).toEqual([403, 'api_key.limits_forbidden']);
    const own = await api.issue({ expiresAt: new Date(LIMITS.expires_at) }, test.accountId);
    expect((await rotate(own.id, {}, own.text)).status).toBe(201);
  });

  it.each([-1, 604_801, 1.5, '60', null])('refuses an overlap of %j', async (overlap) => {
    const { status, json } = await rotate(test.id, { overlap_seconds: overlap });
    expect(status).toBe(422);
    expect(json().errors?.[0]?.pointer).toBe('/overlap_seconds');
  });
});

it('refuses what is not JSON, or has the wrong type or size, on every operation with a body', async () => {
  for (const path of ['/v1/api-keys', `/v1/api-keys/${toId('apiKey', test.id)}/rotate`]) {
    expect((await api.call(test.text, 'POST', path, '{')).status).toBe(400);
    expect((await api.call(test.text, 'POST', path, 'a=1', { 'content-type': 'text/plain' })).status).toBe(
      415,
    );
    expect((await api.call(test.text, 'POST', path, { name: 'x'.repeat(1_100_000) })).status).toBe(413);
  }
});
