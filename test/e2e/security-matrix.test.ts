import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ApiClient } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { type Operation, operationsOf } from '../support/openapi-operations.ts';
import { createWorld, type World } from '../support/world.ts';

// Generated from the OpenAPI document: an operation that is new is in here by itself, and one whose path names
// something that this file does not know how to make fails.

let world: World;
let operations: Operation[];
let ours: { id: string; test: ApiClient; live: ApiClient };
let theirs: { id: string; test: ApiClient; live: ApiClient };
/** What our account owns, by the path that reads it. */
let owned: Record<string, string>;

beforeAll(async () => {
  world = await createWorld({
    postgresUrl: inject('postgresUrl'),
    queue: inject('queue'),
    redisUrl: inject('redisUrl'),
    workers: 1,
  });
  [ours, theirs] = await Promise.all([world.account('Ours'), world.account('Theirs')]);
  operations = operationsOf(await ours.test.get('/openapi.json'));
  owned = await seed(ours.test);
});
afterAll(() => world.close());

async function seed(api: ApiClient): Promise<Record<string, string>> {
  const phone = '919876500099';
  const session = await api.linkedSession();
  const message = await eventually(
    () => api.sendText(phone, 'confidential', { session: session.id }),
    (answer) => answer.id !== undefined,
  );
  const endpoint = await api.post('/v1/webhook-endpoints', {
    url: 'https://example.com/confidential',
    events: ['*'],
  });
  await api.post(`/v1/webhook-endpoints/${endpoint.id}/test`, { type: 'message.received' });
  const events = await eventually(
    () => api.get('/v1/events'),
    (page) => page.data.length > 0,
  );
  const deliveries = await api.get(`/v1/webhook-endpoints/${endpoint.id}/deliveries`);
  const key = await api.post('/v1/api-keys', { name: 'confidential', mode: 'test', scopes: ['*'] });
  const trigger = await api.post('/v1/triggers', {
    name: 'confidential',
    match: 'exact',
    pattern: 'login',
    reply: 'hi',
  });
  return {
    '/v1/api-keys': key.id,
    '/v1/sessions': session.id,
    '/v1/messages': message.id,
    '/v1/events': events.data[0].id,
    '/v1/webhook-endpoints': endpoint.id,
    '/v1/deliveries': deliveries.data[0].id,
    '/v1/triggers': trigger.id,
    '/v1/sandbox/phones': phone,
    '{session}': session.id,
  };
}

/** The path with what our account owns in the place of its parameters. */
function pathOf({ path }: Operation): string {
  return path.replace(/\{(\w+)\}/g, (hole, _name, at: number) => {
    const id = owned[hole] ?? owned[path.slice(0, at - 1)];
    if (id === undefined) throw new Error(`say in this file what ${hole} of ${path} is`);
    return id;
  });
}

const guarded = () =>
  operations.filter((operation) => operation.guarded && operation.path.startsWith('/v1/'));

async function call(api: ApiClient, operation: Operation): Promise<{ status: number; text: string }> {
  const signal = AbortSignal.timeout(5_000);
  const response = await fetch(`${world.api}${pathOf(operation)}`, {
    method: operation.method,
    headers: {
      ...(api.key !== '' && { 'x-api-key': api.key }),
      ...(operation.body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(operation.body !== undefined && { body: JSON.stringify(operation.body) }),
    signal,
  });
  // Streams of events do not end; what comes at once is enough.
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream');
  if (!isStream) return { status: response.status, text: await response.text() };
  await response.body?.cancel();
  return { status: response.status, text: '' };
}

const withOwnId = () =>
  guarded().filter(({ params, path }) => params.length > 0 && !path.includes('/sandbox/phones/{phone}'));

describe('every operation', { timeout: 60_000 }, () => {
  it('is refused without a key', async () => {
    const wrong: string[] = [];
    for (const operation of guarded()) {
      const { status } = await call(new ApiClient(world.api, ''), operation);
      if (status !== 401) wrong.push(`${operation.name}: ${status}`);
    }
    expect(wrong).toEqual([]);
  });

  it('is refused to a key that has every scope but the one it needs', async () => {
    const scopes = [...new Set(guarded().flatMap(({ scope }) => scope ?? []))];
    const wrong: string[] = [];
    for (const scope of scopes) {
      const { key } = await ours.test.post('/v1/api-keys', {
        name: `all but ${scope}`,
        mode: 'test',
        scopes: scopes.filter((other) => other !== scope),
      });
      for (const operation of guarded().filter((other) => other.scope === scope)) {
        const { status } = await call(new ApiClient(world.api, key), operation);
        if (status !== 403) wrong.push(`${operation.name}: ${status}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("does not know another account's ids", async () => {
    const wrong: string[] = [];
    for (const operation of withOwnId()) {
      const { status } = await call(theirs.test, operation);
      if (status !== 404) wrong.push(`${operation.name}: ${status}`);
    }
    expect(wrong).toEqual([]);
  });

  it("does not know the other mode's ids", async () => {
    const modeless = ['/v1/api-keys/{id}', '/v1/api-keys/{id}/rotate'];
    const wrong: string[] = [];
    for (const operation of withOwnId().filter(({ path }) => !modeless.includes(path))) {
      const { status } = await call(ours.live, operation);
      if (status !== 404) wrong.push(`${operation.name}: ${status}`);
    }
    expect(wrong).toEqual([]);
  });

  it('shows another account nothing of ours', async () => {
    const secrets = ['confidential', ...Object.values(owned).filter((id) => id.includes('_'))];
    const wrong: string[] = [];
    for (const operation of guarded().filter(({ method }) => method === 'GET')) {
      const { text } = await call(theirs.test, operation);
      const shown = secrets.filter((secret) => text.includes(secret) && !pathOf(operation).includes(secret));
      if (shown.length > 0) wrong.push(`${operation.name}: ${shown.join()}`);
    }
    expect(wrong).toEqual([]);
  });

  it('says nowhere that it has no scope without being open to every key on purpose', () => {
    const open = guarded().filter(({ scope }) => scope === undefined);
    expect(open.map(({ name }) => name)).toEqual(OPEN_TO_EVERY_KEY);
  });
});

/** Operations that any valid key may call. */
const OPEN_TO_EVERY_KEY: string[] = [];
