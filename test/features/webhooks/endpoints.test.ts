import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newUuid, toId } from '../../../src/lib/ids.ts';
import { seedSession } from '../../support/database.ts';
import { announce } from '../events/open-events.ts';
import { type Endpoint, openWebhooksApi, type WebhooksApi } from './open-webhooks.ts';

const PATH = '/v1/webhook-endpoints';
const URL = 'https://hooks.example.com/pingr';

let api: WebhooksApi;
let test: { text: string; accountId: string; id: string };
let live: typeof test;
beforeAll(async () => {
  api = await openWebhooksApi();
  test = await api.issue();
  live = await api.issue({ mode: 'live' }, test.accountId);
});
afterAll(() => api.close());

const create = (body: object, key = test.text, headers = {}) =>
  api.call(key, 'POST', PATH, { url: URL, ...body }, headers);
const change = (id: string, body: unknown, key = test.text) => api.call(key, 'PATCH', `${PATH}/${id}`, body);
const show = async (id: string, key = test.text) =>
  (await api.call(key, 'GET', `${PATH}/${id}`)).json<Endpoint>();
const problems = (answer: Awaited<ReturnType<typeof create>>) => [
  answer.status,
  answer.json().code,
  answer.json().errors?.map(({ pointer, detail }) => `${pointer} ${detail}`),
];

describe('creating an endpoint', () => {
  it('takes a URL alone, for all events of all sessions', async () => {
    const { status, json } = await create({});
    expect(status).toBe(201);
    expect(json<Endpoint>()).toMatchObject({
      url: URL,
      mode: 'test',
      description: null,
      events: ['*'],
      sessions: null,
      headers: {},
      enabled: true,
      disabled_reason: null,
      previous_secret_until: null,
    });
  });

  it('takes everything else, and keeps secrets sealed', async () => {
    const sessions = [toId('session', await seedSession(api.db, test.accountId))];
    const secret = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
    const { status, json } = await create({
      description: ' Orders ',
      events: ['message.*', 'session.status', 'message.*'],
      sessions,
      headers: { Authorization: 'Bearer 0123456789abcdef', 'X-Team': 'blue' },
      enabled: false,
      secret,
    });
    const endpoint = json<Endpoint>();
    expect(status).toBe(201);
    expect(endpoint).toMatchObject({
      description: 'Orders',
      events: ['message.*', 'session.status'],
      sessions,
      headers: { Authorization: '****cdef', 'X-Team': '****' },
      enabled: false,
      disabled_reason: null,
      secret,
    });
    const { rows } = await api.db.owner.query(
      'select w::text as row from webhook_endpoints w where description = $1',
      ['Orders'],
    );
    for (const kept of ['0123456789abcdef', secret]) {
      expect(rows[0].row).not.toContain(Buffer.from(kept).toString('hex'));
      expect(rows[0].row).not.toContain(kept);
    }
    expect(await show(endpoint.id)).not.toHaveProperty('secret');
  });

  it.each([
    [{ url: undefined }, ['/url is required']],
    [{ url: 'example.com' }, ['/url must be a URL such as https://example.com/webhooks/pingr']],
    [{ url: 'ftp://example.com' }, ['/url must be a URL such as https://example.com/webhooks/pingr']],
    [{ url: 'https://me:pw@example.com' }, ['/url must not hold credentials; send them in `headers`']],
    [{ url: `https://example.com/${'x'.repeat(2050)}` }, ['/url must have at most 2048 characters']],
    [{ events: [] }, ['/events must have at least 1 item']],
    [{ sessions: [] }, ['/sessions must have at least 1 item']],
    [{ sessions: ['msg_01h455vb4pex5vsknk084sn02q'] }, ['/sessions/0 is not an id of the form ses_…']],
    [{ headers: { 'Webhook-Id': 'x' } }, ['/headers/Webhook-Id is a header that Pingr sets itself']],
    [{ headers: { 'content-length': '1' } }, ['/headers/content-length is a header that Pingr sets itself']],
    [{ headers: { HOST: 'x' } }, ['/headers/HOST is a header that Pingr sets itself']],
    [{ headers: { 'a b': 'x' } }, ['/headers/a b is not the name of a header of at most 100 characters']],
    [{ headers: { a: 'x\r\nb: y' } }, ['/headers/a must be visible ASCII, with spaces only inside']],
    [{ headers: { a: ' x' } }, ['/headers/a must be visible ASCII, with spaces only inside']],
    [{ headers: { a: 'ü' } }, ['/headers/a must be visible ASCII, with spaces only inside']],
    [{ headers: { a: '1', A: '2' } }, ['/headers/A is there twice']],
    [{ headers: { a: '****cdef' } }, ['/headers/a is masked; send the whole value']],
    [{ secret: 'whsec_c2hvcnQ=' }, ['/secret must be `whsec_` and the base64 of 24 to 64 bytes']],
    [{ secret: 'x'.repeat(40) }, ['/secret must be `whsec_` and the base64 of 24 to 64 bytes']],
    [{ uri: URL }, ['/uri is not a known field']],
  ])('refuses %j', async (body, errors) => {
    expect(problems(await create(body))).toEqual([422, 'request.invalid', errors]);
  });

  it('refuses too many headers, and too long ones', async () => {
    const many = Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`x-${i}`, 'x']));
    const long = Object.fromEntries(Array.from({ length: 5 }, (_, i) => [`x-${i}`, 'x'.repeat(1_900)]));
    expect(problems(await create({ headers: many }))[2]).toEqual(['/headers must have at most 20 headers']);
    expect(problems(await create({ headers: long }))[2]).toEqual([
      '/headers must have at most 8000 characters together',
    ]);
  });

  it('names each type of event that there is none of', async () => {
    const [status, code, errors] = problems(
      await create({ events: ['message.read', 'message.seen', 'order.*'] }),
    );
    expect([status, code]).toEqual([422, 'request.invalid']);
    expect(errors).toEqual([
      expect.stringMatching(
        /^\/events\/1 is no type of event; use .* or one of session.status, message.queued/,
      ),
      expect.stringMatching(/^\/events\/2 is no type of event/),
    ]);
  });

  it.each([
    ['live', 'http://hooks.example.com', 'must begin with https://'],
    ['live', 'https://127.0.0.1/x', 'leads to an address that is not public'],
    ['live', 'https://[::1]/', 'leads to an address that is not public'],
    ['live', 'https://inside.example.com/', 'leads to an address that is not public'],
    ['test', 'http://169.254.169.254/latest', 'leads to an address that is not public'],
    ['test', 'http://inside.example.com/', 'leads to an address that is not public'],
  ])('in %s mode refuses %s', async (mode, url, detail) => {
    const key = mode === 'live' ? live.text : test.text;
    const refusal = [422, 'webhook_endpoint.url_refused', [`/url ${detail}`]];
    expect(problems(await create({ url }, key))).toEqual(refusal);
    const { id } = await api.createEndpoint(key);
    expect(problems(await change(id, { url }, key))).toEqual(refusal);
    expect((await show(id, key)).url).toBe(URL);
  });

  it('takes a receiver on this machine in test mode, where configuration allows it', async () => {
    expect((await create({ url: 'http://127.0.0.1:3000/hook' })).status).toBe(201);
  });

  it('takes sessions of its own account and mode only', async () => {
    const other = await api.issue();
    const mine = toId('session', await seedSession(api.db, test.accountId));
    const foreign = [
      await seedSession(api.db, other.accountId),
      await seedSession(api.db, test.accountId, { mode: 'live' }),
      newUuid(),
    ].map((id) => toId('session', id));
    expect(problems(await create({ sessions: [mine, ...foreign] }))).toEqual([
      422,
      'webhook_endpoint.session_not_found',
      [1, 2, 3].map((i) => `/sessions/${i} is not a session of this account and mode`),
    ]);
  });

  it('makes one endpoint for one Idempotency-Key, and does not repeat its secret', async () => {
    const { text } = await api.issue();
    const headers = { 'idempotency-key': 'once' };
    const first = (await create({}, text, headers)).json<Endpoint>();
    expect(first.secret).toMatch(/^whsec_/);
    const again = await create({}, text, headers);
    expect([again.status, again.json<Endpoint>()]).toEqual([201, { ...first, secret: null }]);
    const { json } = await api.call(text, 'GET', PATH);
    expect(json<{ data: Endpoint[] }>().data).toHaveLength(1);
  });

  it('stops at 50 in each mode, however many are made at once', async () => {
    const { text, accountId } = await api.issue();
    const answers = await Promise.all(Array.from({ length: 55 }, () => create({}, text)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(50);
    const refused = answers.find(({ status }) => status !== 201);
    expect([refused?.status, refused?.json().code]).toEqual([409, 'webhook_endpoint.too_many']);
    const other = await api.issue({ mode: 'live' }, accountId);
    expect((await create({}, other.text)).status).toBe(201);
  });
});

describe('a plan without webhooks', () => {
  it('takes no new endpoint in live mode, and none that is switched on; what is there goes on', async () => {
    const { text, accountId } = await api.issue({ mode: 'live' });
    const { text: testKey } = await api.issue({}, accountId);
    const [on, off] = [await api.createEndpoint(text), await api.createEndpoint(text, { enabled: false })];
    await api.db.owner.query(`update subscriptions set plan = 'free' where account_id = $1`, [accountId]);

    const refused = [403, 'webhook_endpoint.not_in_plan', undefined];
    expect(problems(await create({}, text))).toEqual(refused);
    expect(problems(await create({ enabled: false }, text))).toEqual(refused);
    expect(problems(await change(off.id, { enabled: true }, text))).toEqual(refused);
    expect((await change(on.id, { description: 'still mine', enabled: true }, text)).status).toBe(200);
    await announce(api.db.owner, { accountId, mode: 'live', data: {} });
    expect(await api.stored(on.uuid)).toHaveLength(1);
    expect((await change(on.id, { enabled: false }, text)).status).toBe(200);
    expect(problems(await change(on.id, { enabled: true }, text))).toEqual(refused);
    expect((await create({}, testKey)).status).toBe(201);

    await api.db.owner.query(`update subscriptions set plan = 'starter' where account_id = $1`, [accountId]);
    expect((await change(on.id, { enabled: true }, text)).status).toBe(200);
    expect((await create({}, text)).status).toBe(201);
  });

  it.each(['trial', 'starter', 'growth', 'scale', 'unlimited'])('is not %s', async (plan) => {
    const { text, accountId } = await api.issue({ mode: 'live' });
    await api.db.owner.query('update subscriptions set plan = $2 where account_id = $1', [accountId, plan]);
    expect((await create({}, text)).status).toBe(201);
  });
});

describe('the events that an endpoint gets', () => {
  const builder = { scopes: ['webhooks:read', 'webhooks:write', 'events:read'] };
  const patternsOf = (answer: Awaited<ReturnType<typeof create>>) => answer.json<Endpoint>().events;

  it('are none that its maker may not see: they cannot be named', async () => {
    const { text } = await api.issue(builder, test.accountId);
    const named = await create({ events: ['message.*', 'invoice.paid', 'subscription.*'] }, text);
    expect(problems(named)).toEqual([
      403,
      'webhook_endpoint.events_forbidden',
      [
        '/events/1 needs scopes that the caller lacks: billing:read',
        '/events/2 needs scopes that the caller lacks: billing:read',
      ],
    ]);
    const { text: payer } = await api.issue({ scopes: [...builder.scopes, 'billing:read'] }, test.accountId);
    expect(patternsOf(await create({ events: ['invoice.paid', '*'] }, payer))).toEqual(['invoice.paid', '*']);
  });

  it('are all that its maker may see where these are all that it wants', async () => {
    const { text } = await api.issue(builder, test.accountId);
    const all = ['session.*', 'message.*', 'trigger.*', 'quota.*', 'account.*', 'webhook_endpoint.*'];
    const endpoint = (await create({}, text)).json<Endpoint>();
    expect(endpoint.events).toEqual(all);
    expect((await change(endpoint.id, { events: ['*'] }, text)).json()).toMatchObject({ events: all });
    expect((await change(endpoint.id, { events: ['*'] })).json()).toMatchObject({ events: ['*'] });
    const { text: writer } = await api.issue({ scopes: ['webhooks:write'] }, test.accountId);
    expect(patternsOf(await create({}, writer))).toEqual(all.slice(0, -1));
  });

  it('stay out of reach of those who may not see them', async () => {
    const { text } = await api.issue(builder, test.accountId);
    for (const events of [['*'], ['message.*', 'invoice.*']]) {
      const { id } = (await create({ events })).json<Endpoint>();
      const elsewhere = await change(id, { url: `${URL}/mine` }, text);
      expect(problems(elsewhere)).toEqual([
        403,
        'webhook_endpoint.events_forbidden',
        ['/url would get events whose scopes the caller lacks: billing:read'],
      ]);
      const fewer = await change(id, { events: ['message.*'], url: `${URL}/mine` }, text);
      expect(problems(fewer)).toEqual([
        403,
        'webhook_endpoint.events_forbidden',
        [`/events must keep ${events.at(-1)}`],
      ]);
      expect((await change(id, { events: [...events, 'session.*'], enabled: false }, text)).status).toBe(200);
      expect((await change(id, { url: `${URL}/ours` })).status).toBe(200);
    }
  });
});

describe('seeing endpoints', () => {
  it('shows them to their account and mode only', async () => {
    const { id } = await api.createEndpoint(test.text);
    const other = await api.issue();
    const reader = await api.issue({ scopes: ['webhooks:read'] }, test.accountId);
    expect((await api.call(reader.text, 'GET', `${PATH}/${id}`)).status).toBe(200);
    for (const key of [live.text, other.text]) {
      for (const [method, path, body] of [
        ['GET', '', undefined],
        ['PATCH', '', {}],
        ['DELETE', '', undefined],
        ['GET', '/secret', undefined],
        ['POST', '/rotate-secret', {}],
        ['POST', '/test', { type: 'message.read' }],
        ['POST', '/replay', {}],
        ['GET', '/deliveries', undefined],
      ] as const) {
        const answer = await api.call(key, method, `${PATH}/${id}${path}`, body);
        expect([method, path, answer.status]).toEqual([method, path, 404]);
        expect(answer.json().code).toBe('webhook_endpoint.not_found');
      }
    }
    expect((await show(id)).enabled).toBe(true);
  });

  it('pages through all of them, newest first', async () => {
    const { text } = await api.issue();
    const made: string[] = [];
    for (let i = 0; i < 5; i++) made.unshift((await api.createEndpoint(text)).id);
    const seen: string[] = [];
    for (let after: string | null = ''; after !== null; ) {
      const page: { data: Endpoint[]; next_cursor: string | null } = (
        await api.call(text, 'GET', `${PATH}?limit=2${after && `&after=${after}`}`)
      ).json();
      seen.push(...page.data.map(({ id }) => id));
      after = page.next_cursor;
    }
    expect(seen).toEqual(made);
  });

  it('needs a scope for each', async () => {
    const reader = await api.issue({ scopes: ['webhooks:read'] }, test.accountId);
    const { id } = await api.createEndpoint(test.text);
    for (const answer of [
      await create({}, reader.text),
      await change(id, {}, reader.text),
      await api.call(reader.text, 'GET', `${PATH}/${id}/secret`),
    ]) {
      expect([answer.status, answer.json().code]).toEqual([403, 'auth.scope_missing']);
    }
  });
});

describe('changing an endpoint', () => {
  it('changes what is said and nothing else', async () => {
    const { id, ...made } = await api.createEndpoint(test.text, {
      description: 'old',
      events: ['message.read'],
      headers: { a: 'b' },
    });
    expect((await change(id, {})).json<Endpoint>()).toMatchObject({ url: made.url, description: 'old' });
    const changed = (
      await change(id, { url: 'http://127.0.0.1:1/x', description: null, events: ['*'] })
    ).json();
    expect(changed).toMatchObject({
      url: 'http://127.0.0.1:1/x',
      description: null,
      events: ['*'],
      headers: { a: '****' },
    });
    expect((await change(id, { headers: {} })).json<Endpoint>().headers).toEqual({});
    expect(problems(await change(id, { secret: 'x' }))[2]).toEqual(['/secret is not a known field']);
  });

  it('keeps a header that comes back masked', async () => {
    const headers = { Authorization: 'Bearer 0123456789abcdef', 'x-old': 'gone' };
    const { id, uuid } = await api.createEndpoint(test.text, { headers });
    const sealed = async () => {
      const { rows } = await api.db.owner.query('select headers from webhook_endpoints where id = $1', [
        uuid,
      ]);
      const cipher = await api.db.vault.of(test.accountId);
      return JSON.parse(cipher.open(rows[0].headers, `webhook-headers:${uuid}`).toString());
    };
    expect(await sealed()).toEqual(headers);
    const shown = (await show(id)).headers;
    await change(id, { headers: { authorization: shown['Authorization'], 'x-new': 'here' } });
    expect(await sealed()).toEqual({ authorization: headers.Authorization, 'x-new': 'here' });
    expect(problems(await change(id, { headers: { 'x-other': '****cdef' } }))[2]).toEqual([
      '/headers/x-other is masked; send the whole value',
    ]);
  });

  it('lets an endpoint keep a session that was deleted since', async () => {
    const old = await seedSession(api.db, test.accountId);
    const fresh = await seedSession(api.db, test.accountId);
    const { id } = await api.createEndpoint(test.text, { sessions: [toId('session', old)] });
    await api.db.owner.query(`update sessions set desired = 'deleted' where id = $1`, [old]);
    const sessions = [old, fresh].map((uuid) => toId('session', uuid));
    expect((await change(id, { sessions })).json<Endpoint>().sessions).toEqual(sessions);
    expect((await change(id, { sessions: null })).json<Endpoint>().sessions).toBeNull();
    expect((await change(id, { sessions })).status).toBe(422);
  });
});
