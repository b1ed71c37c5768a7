import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROLES, scopesOfRole } from '../../src/features/members/roles.model.ts';
import { fromId } from '../../src/lib/ids.ts';
import { ApiClient, type Json } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { type Operation, operationsOf } from '../support/openapi-operations.ts';
import { PATIENCE_MS } from '../support/patience.ts';
import { createWorld, type World } from '../support/world.ts';

// Generated from the OpenAPI document: an operation that is new is in here by itself, and one whose path names
// something that this file does not know how to make fails.

let world: World;
let operations: Operation[];
let ours: Party;
let theirs: Party;
/** What our account owns, by the path that reads it. */
let owned: Record<string, string>;

beforeAll(async () => {
  world = await createWorld({
    workers: 1,
    env: { MAILBOX: 'on' },
  });
  [ours, theirs] = [await join('ours@example.com'), await join('theirs@example.com')];
  operations = operationsOf(await ours.test.get('/openapi.json'));
  owned = await seed(ours);
});
afterAll(() => world.close());

interface Party {
  /** The owner, signed in. */
  person: ApiClient;
  userId: string;
  accountId: string;
  test: ApiClient;
  live: ApiClient;
}

const nobody = () => new ApiClient(world.api, '');

/** Signs somebody in by the link that was mailed, which makes user and account at the first time. */
async function join(email: string): Promise<Party> {
  await nobody().post('/v1/auth/magic-link', { email });
  const mails = await nobody().get('/mailbox/mails');
  const mail = mails.data.find((found: Json) => found.to === email);
  const token = /sign-in#token=([\w-]+)/.exec(mail.text)?.[1];
  const { access_token: credential, user_id: userId } = await nobody().post('/v1/auth/sign-ins', { token });
  const person = new ApiClient(world.api, credential);
  const { accounts } = await person.get('/v1/me');
  const keyFor = async (mode: string) =>
    new ApiClient(world.api, (await person.post('/v1/api-keys', { name: mode, mode, scopes: ['*'] })).key);
  return {
    person,
    userId,
    accountId: accounts[0].id,
    test: await keyFor('test'),
    live: await keyFor('live'),
  };
}

async function seed({ test: api, person, userId, accountId }: Party): Promise<Record<string, string>> {
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
  const invitation = await person.post('/v1/invitations', {
    email: 'confidential@example.com',
    role: 'viewer',
  });
  const exported = await person.post('/v1/account/export');
  const signIns = await person.get('/v1/auth/sign-ins');
  return {
    '/v1/members': userId,
    '/v1/me/accounts': accountId,
    '/v1/invitations': invitation.id,
    '/v1/account/exports': exported.id,
    '/v1/auth/sign-ins': signIns.data[0].id,
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

async function call(
  api: ApiClient,
  operation: Operation,
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string }> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const response = await fetch(`${world.api}${pathOf(operation)}`, {
    method: operation.method,
    headers: {
      ...(api.key !== '' && { 'x-api-key': api.key }),
      ...(operation.body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
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

/** Somebody of the other account who may make the call at all. */
function strangerFor({ forPeople, wholeAccount }: Operation): ApiClient {
  if (forPeople) return theirs.person;
  return wholeAccount ? theirs.live : theirs.test;
}

describe('every operation', () => {
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
        const { status, text } = await call(new ApiClient(world.api, key), operation);
        const refused = status === 403 && text.includes('auth.scope_missing');
        if (!refused) wrong.push(`${operation.name}: ${status}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('that concerns the whole account is refused to a test key that may do everything', async () => {
    const wrong: string[] = [];
    for (const operation of guarded().filter(({ wholeAccount }) => wholeAccount)) {
      const { status, text } = await call(ours.test, operation);
      const refused = status === 403 && text.includes('account.live_key_needed');
      if (!refused) wrong.push(`${operation.name}: ${status}`);
    }
    expect(wrong).toEqual([]);
  });

  it('that changes what both modes share says that it concerns the whole account', () => {
    const shared = /^(account|members|billing):/;
    const forgotten = guarded().filter(
      ({ scope = '', method, wholeAccount }) => method !== 'GET' && shared.test(scope) && !wholeAccount,
    );
    expect(forgotten.map(({ name }) => name)).toEqual([]);
  });

  it("does not know another account's ids", async () => {
    const wrong: string[] = [];
    for (const operation of withOwnId()) {
      const { status } = await call(strangerFor(operation), operation);
      if (status !== 404) wrong.push(`${operation.name}: ${status}`);
    }
    expect(wrong).toEqual([]);
  });

  it("does not know the other mode's ids", async () => {
    // What belongs to the account belongs to both.
    const modeless = /api-keys|members|invitations|exports|me\/accounts|sign-ins/;
    const wrong: string[] = [];
    for (const operation of withOwnId().filter(({ path }) => !modeless.test(path))) {
      const { status } = await call(ours.live, operation);
      if (status !== 404) wrong.push(`${operation.name}: ${status}`);
    }
    expect(wrong).toEqual([]);
  });

  it('shows another account nothing of ours', async () => {
    const secrets = ['confidential', ...Object.values(owned).filter((id) => id.includes('_'))];
    const wrong: string[] = [];
    for (const operation of guarded().filter(({ method }) => method === 'GET')) {
      const { text } = await call(operation.forPeople ? theirs.person : theirs.test, operation);
      const shown = secrets.filter((secret) => text.includes(secret) && !pathOf(operation).includes(secret));
      if (shown.length > 0) wrong.push(`${operation.name}: ${shown.join()}`);
    }
    expect(wrong).toEqual([]);
  });

  it('for people is refused to keys', async () => {
    const wrong: string[] = [];
    for (const operation of guarded().filter(({ forPeople }) => forPeople)) {
      const { status } = await call(ours.test, operation);
      if (status !== 403) wrong.push(`${operation.name}: ${status}`);
    }
    expect(wrong).toEqual([]);
  });

  it.each(ROLES)('is open to a member who is %s exactly where the table of roles says so', async (role) => {
    const { person, userId } = await join(`${role}@example.com`);
    await world.db.owner.query(
      'insert into members (account_id, user_id, role) values ($1, $2, $3) on conflict do nothing',
      [fromId('account', ours.accountId), fromId('user', userId), role],
    );
    const headers = { 'pingr-account': ours.accountId, 'pingr-mode': 'test' };
    // Who belongs to an account is remembered for a moment.
    await eventually(
      () => person.request('GET', '/v1/account', undefined, headers),
      ({ status }) => status === 200,
    );
    const scopes = scopesOfRole(role);
    const wrong: string[] = [];
    for (const operation of guarded()) {
      const { scope, method } = operation;
      if (scope === undefined) continue;
      const may = scopes.has(scope) || scopes.has('*');
      // What they may change is left as it is.
      if (may && method !== 'GET') continue;
      const { status } = await call(person, operation, headers);
      if ((status !== 403) !== may) wrong.push(`${operation.name}: ${status}`);
    }
    expect(wrong).toEqual([]);
  });

  it('describes each of its parameters, and each field of what it takes and answers', async () => {
    const { paths, components } = await ours.test.get('/openapi.json');
    const parameters = Object.values<Json>(paths)
      .flatMap((path) => Object.values<Json>(path))
      .flatMap(({ operationId, parameters: all = [] }) =>
        all.filter((one: Json) => !one.description).map((one: Json) => `${operationId} ${one.name}`),
      );
    expect(parameters).toEqual([]);
    const fields = Object.entries<Json>(components.schemas).flatMap(([name, schema]) =>
      undescribed(schema, name),
    );
    expect(fields).toEqual([]);
  });

  it('says nowhere that it has no scope without being open to every key on purpose', () => {
    const open = guarded().filter(({ scope, forPeople }) => scope === undefined && !forPeople);
    expect(open.map(({ name }) => name)).toEqual(OPEN_TO_EVERY_KEY);
  });
});

/** Fields without a description of their own, or of the schema that they refer to. */
function undescribed(schema: Json, at: string): string[] {
  const kinds = [schema.items, ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].filter(Boolean);
  return [
    ...kinds.flatMap((kind: Json) => undescribed(kind, at)),
    ...Object.entries<Json>(schema.properties ?? {}).flatMap(([name, field]) => [
      ...(field.description || field.$ref ? [] : [`${at}.${name}`]),
      ...undescribed(field, `${at}.${name}`),
    ]),
  ];
}

/** Operations that any valid key may call. */
const OPEN_TO_EVERY_KEY: string[] = [];
