import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { defineErrors } from '../../../src/lib/errors.ts';
import { toId } from '../../../src/lib/ids.ts';
import { databaseErrors } from '../../../src/platform/db/db.errors.ts';
import { requestErrors } from '../../../src/platform/http/http.errors.ts';
import { purgeIdempotencyKeys } from '../../../src/platform/http/idempotency.system.ts';
import { canonicalJson } from '../../../src/platform/http/idempotent-request.ts';
import { defineRoute } from '../../../src/platform/http/route.ts';
import { type Cuttable, cuttable } from '../../features/messages/lane-fixture.ts';
import { createTestDatabase, seedAccount, type TestDatabase } from '../../support/database.ts';
import { PATIENCE_MS } from '../../support/patience.ts';
import { type Edge, openEdge, principal } from './open-edge.ts';

let db: TestDatabase;
let edge: Edge;
let ran = 0;
let fail: (() => unknown) | undefined;
/** What the handler waits for. */
let gate: Promise<void> = Promise.resolve();

const awayErrors = defineErrors({
  busy: { code: 'test.busy', status: 503, title: 'Busy', remedy: 'Try again.', repeatable: true },
});

const view = z.object({ run: z.int(), secret: z.string().nullable() });
const answers = { 201: { description: 'Made.', schema: view } };
const common = { method: 'POST', summary: 'Test', tag: 'Test', scope: undefined } as const;

const routes = [
  defineRoute({
    ...common,
    path: '/things',
    operationId: 'createThing',
    body: z.strictObject({ name: z.string(), size: z.number().optional() }),
    answers,
    handler: async () => {
      const run = ++ran;
      await gate;
      if (fail) throw fail();
      return { status: 201, body: { run, secret: 'shown once' }, replayBody: { run, secret: null } };
    },
  }),
  defineRoute({
    ...common,
    path: '/things/:id/stop',
    operationId: 'stopThing',
    params: z.object({ id: z.string() }),
    answers: { 204: { description: 'Stopped.' } },
    handler: async () => {
      ran++;
      return { status: 204 };
    },
  }),
  defineRoute({
    ...common,
    path: '/own',
    operationId: 'own',
    idempotency: 'own',
    answers: { 200: { description: 'Echo.', schema: z.object({ key: z.string(), hash: z.int() }) } },
    handler: async ({ http }) =>
      http.idempotency?.key === 'seen'
        ? { replay: { status: 200, text: '{"key":"seen","hash":0}' } }
        : {
            status: 200,
            body: { key: http.idempotency?.key ?? 'none', hash: http.idempotency?.requestHash.length ?? 0 },
          },
  }),
];

beforeAll(async () => {
  db = await createTestDatabase(inject('postgresUrl'));
  const accountId = await seedAccount(db);
  const other = await seedAccount(db, 'Other');
  edge = await openEdge({
    routes,
    database: db.database,
    vault: db.vault,
    authenticate: async (key) =>
      principal({ accountId: key === 'other' ? other : accountId, mode: key === 'live' ? 'live' : 'test' }),
  });
});
afterAll(async () => {
  await edge.close();
  await db.close();
});

let keys = 0;
const newKey = () => `key ${++keys}`;
const post = (key: string, body: unknown = { name: 'a' }, headers = {}) =>
  edge.call('POST', '/things', body, { 'idempotency-key': key, ...headers });

describe('a request with an Idempotency-Key', () => {
  it('is answered the same way again, without what was to be shown once, and runs once', async () => {
    const key = newKey();
    const first = await post(key);
    const runs = ran;
    const second = await post(key);
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(first.headers.has('idempotent-replayed')).toBe(false);
    expect(second.headers.get('idempotent-replayed')).toBe('true');
    expect(first.json()).toEqual({ run: runs, secret: 'shown once' });
    expect(second.json()).toEqual({ run: runs, secret: null });
    expect(ran).toBe(runs);
  });

  it('is the same request however its JSON is spelled', async () => {
    const key = newKey();
    await post(key, { name: 'a', size: 1 });
    const second = await post(key, '{ "size": 1.0,\n "name": "a" }');
    expect(second.headers.get('idempotent-replayed')).toBe('true');
  });

  it('is refused with another body or path', async () => {
    const key = newKey();
    await post(key);
    const other = await post(key, { name: 'b' });
    expect([other.status, other.json().code]).toEqual([422, 'idempotency.key_reused']);
    const path = await edge.call('POST', '/things/1/stop', undefined, { 'idempotency-key': key });
    expect(path.json().code).toBe('idempotency.key_reused');
  });

  it('stands by itself in each account and mode', async () => {
    const key = newKey();
    await post(key);
    for (const who of ['other', 'live']) {
      const answer = await post(key, { name: 'b' }, { 'x-api-key': who });
      expect([answer.status, answer.headers.has('idempotent-replayed')]).toEqual([201, false]);
    }
  });

  it('is refused while the first one runs, of which many at once run one', async () => {
    const key = newKey();
    let open = () => {};
    gate = new Promise((resolve) => (open = resolve));
    const before = ran;
    const all = Promise.all(Array.from({ length: 6 }, () => post(key)));
    await expect.poll(() => ran).toBe(before + 1);
    const waiting = await post(key);
    expect([waiting.status, waiting.json().code]).toEqual([409, 'idempotency.in_progress']);
    expect(waiting.headers.get('retry-after')).toBe('1');
    open();
    const statuses = (await all).map(({ status }) => status).toSorted();
    expect(statuses.filter((status) => status === 201).length).toBeGreaterThanOrEqual(1);
    expect(new Set(statuses)).toEqual(new Set(statuses.includes(409) ? [201, 409] : [201]));
    expect(ran).toBe(before + 1);
  });

  it.each([
    ['was refused', () => requestErrors.notAcceptable(), 406],
    ['failed with what may be repeated', () => awayErrors.busy(), 503],
  ])('may be sent again after it %s', async (_what, error, status) => {
    const key = newKey();
    fail = error;
    expect((await post(key)).status).toBe(status);
    fail = undefined;
    const again = await post(key);
    expect([again.status, again.headers.has('idempotent-replayed')]).toEqual([201, false]);
  });

  it.each([
    ['an error of ours', () => new Error('oops'), 500],
    ['the database going away', () => databaseErrors.unavailable(), 503],
  ])(
    'that failed through %s may have been done: it is not done again, and fails as it did',
    async (_what, error, status) => {
      const key = newKey();
      fail = error;
      const first = await post(key);
      const runs = ran;
      fail = undefined;
      const second = await post(key);
      expect([first.status, second.status]).toEqual([status, status]);
      expect(second.json()).toEqual(first.json());
      expect(second.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
      expect([first, second].map(({ headers }) => headers.get('idempotent-replayed'))).toEqual([
        null,
        'true',
      ]);
      expect(second.headers.has('retry-after')).toBe(false);
      expect(ran).toBe(runs);
    },
  );

  it('is not held by wrong input', async () => {
    const key = newKey();
    expect((await post(key, { wrong: 1 })).status).toBe(422);
    expect((await post(key)).status).toBe(201);
  });

  it('whose process died is not done again: after a while nobody waits for its answer', async () => {
    const key = newKey();
    await post(key);
    const runs = ran;
    const age = (interval: string) =>
      db.owner.query(
        `update idempotency_keys set status = null, response = null, created_at = now() - $2::interval where key = $1`,
        [key, interval],
      );
    await age('20 seconds');
    expect((await post(key)).json().code).toBe('idempotency.in_progress');
    await age('3 minutes');
    const unknown = await post(key);
    expect([unknown.status, unknown.json().code]).toEqual([409, 'idempotency.outcome_unknown']);
    expect(ran).toBe(runs);
  });

  it('is new again after a day, when the purge may take it', async () => {
    const key = newKey();
    await post(key);
    await db.owner.query(
      `update idempotency_keys set created_at = now() - interval '25 hours' where key = $1`,
      [key],
    );
    const again = await post(key, { name: 'quite different' });
    expect([again.status, again.headers.has('idempotent-replayed')]).toEqual([201, false]);

    await db.owner.query(
      `update idempotency_keys set created_at = now() - interval '25 hours' where key = $1`,
      [key],
    );
    expect(await db.database.systemOnce((tx) => purgeIdempotencyKeys(tx))).toBe(1);
    expect(await db.database.systemOnce((tx) => purgeIdempotencyKeys(tx))).toBe(0);
  });

  it('keeps an empty answer too', async () => {
    const key = newKey();
    const stop = () => edge.call('POST', '/things/1/stop', undefined, { 'idempotency-key': key });
    const [first, second] = [await stop(), await stop()];
    expect([first.status, second.status]).toEqual([204, 204]);
    expect(second.headers.get('idempotent-replayed')).toBe('true');
  });

  it('leaves nothing readable in the database', async () => {
    const key = newKey();
    await post(key);
    const { rows } = await db.owner.query<{ response: Buffer }>(
      'select response from idempotency_keys where key = $1',
      [key],
    );
    expect(rows[0]?.response.toString('latin1')).not.toContain('secret');
  });

  it.each(['', 'x'.repeat(256), 'caf\u00e9'])('is refused where the key is %j', async (key) => {
    const { status, json } = await post(key);
    expect([status, json().code]).toEqual([400, 'idempotency.key_invalid']);
  });
});

describe('a request during which the database goes away', () => {
  let link: Cuttable;
  let cutEdge: Edge;
  beforeAll(async () => {
    link = cuttable(db.database);
    const accountId = await seedAccount(db);
    const authenticate = async () => principal({ accountId });
    cutEdge = await openEdge({ routes, database: link, vault: db.vault, authenticate });
  });
  afterAll(() => cutEdge.close());
  const send = (key: string) => cutEdge.call('POST', '/things', { name: 'a' }, { 'idempotency-key': key });

  it('before it began was not done, and may be sent again', async () => {
    const key = newKey();
    const before = ran;
    link.isCut = true;
    expect((await send(key)).json().code).toBe('service.database_unavailable');
    expect(ran).toBe(before);
    link.isCut = false;
    expect((await send(key)).status).toBe(201);
  });

  it.each([
    ['after it was done is answered, and so is a repeat once the database is back', undefined, 201],
    ['while it failed fails again once the database is back', () => new Error('oops'), 500],
  ])('%s', async (_what, error, status) => {
    const key = newKey();
    let open = () => {};
    gate = new Promise((resolve) => (open = resolve));
    const before = ran;
    const first = send(key);
    await expect.poll(() => ran).toBe(before + 1);
    fail = error;
    link.isCut = true;
    open();
    expect((await first).status).toBe(status);
    link.isCut = false;
    fail = undefined;
    await expect.poll(async () => (await send(key)).status, { timeout: PATIENCE_MS }).toBe(status);
    expect((await send(key)).headers.get('idempotent-replayed')).toBe('true');
    expect(ran).toBe(before + 1);
  });
});

describe('a route that keeps its own answers', () => {
  it('is told the key and the hash, and may replay', async () => {
    const call = (headers = {}) => edge.call('POST', '/own', undefined, headers);
    expect((await call()).json()).toEqual({ key: 'none', hash: 0 });
    expect((await call({ 'idempotency-key': 'k' })).json()).toEqual({ key: 'k', hash: 32 });
    const replay = await call({ 'idempotency-key': 'seen' });
    expect([replay.text, replay.headers.get('idempotent-replayed')]).toEqual([
      '{"key":"seen","hash":0}',
      'true',
    ]);
  });
});

it('writes JSON in one way', () => {
  expect(canonicalJson({ b: [{ d: 1, c: null }], a: 'x' })).toBe('{"a":"x","b":[{"c":null,"d":1}]}');
  expect(canonicalJson(undefined)).toBe('');
  expect(toId('request', '01890a5d-ac96-774b-bcce-b302099a8057')).toMatch(/^req_/);
});
