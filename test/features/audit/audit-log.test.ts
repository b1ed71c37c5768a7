import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newUuid, toId } from '../../../src/lib/ids.ts';
import { actFor } from '../../../src/platform/db/scope.ts';
import { openPeopleApi, type PeopleApi } from '../sign-in/open-people.ts';

let api: PeopleApi;
beforeAll(async () => {
  api = await openPeopleApi();
});
afterAll(() => api.close());

interface Entry {
  id: string;
  mode: string | null;
  actor: { type: string; id: string | null; name: string | null };
  ip: string | null;
  user_agent: string | null;
  request_id: string | null;
  action: string;
  target: { type: string; id: string };
  changed: string[] | null;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
}

const log = async (token: string, query = '', headers = {}) =>
  (await api.call(token, 'GET', `/v1/audit-log${query}`, undefined, headers)).json<{
    data: Entry[];
    next_cursor: string | null;
  }>();

describe('a change', () => {
  it('is written with who made it, from where, by which request, before and after', async () => {
    const account = await api.account();
    const owner = await api.member(account, 'owner');
    const headers = {
      'x-forwarded-for': '203.0.113.9',
      'user-agent': 'Curl "x"\\',
      'x-request-id': 'req-audit-1',
    };
    await api.call(owner.access_token, 'PATCH', '/v1/account', { name: 'Better' }, headers);
    const { data } = await log(owner.access_token);
    expect(data[0]).toMatchObject({
      mode: null,
      actor: { type: 'user', id: toId('user', owner.userId), name: owner.email },
      ip: '203.0.113.9',
      user_agent: 'Curl "x"\\',
      request_id: 'req-audit-1',
      action: 'updated',
      target: { type: 'account', id: toId('account', account) },
      changed: ['name'],
      before: { name: 'Acme' },
      after: { name: 'Better' },
    });
  });

  it('names the key that made it, and hides what is secret', async () => {
    const account = await api.account();
    const key = await api.issue(account, { name: 'deploy' });
    const made = await api.call(key, 'POST', '/v1/api-keys', { name: 'second', mode: 'test' });
    const { id } = made.json<{ id: string }>();
    const [entry] = (await log(key)).data;
    expect(entry).toMatchObject({
      mode: 'test',
      actor: { type: 'api_key', name: 'deploy' },
      action: 'created',
      target: { type: 'api_key', id },
      before: null,
      after: { id, name: 'second' },
    });
    expect(Object.keys(entry?.after ?? {})).not.toContain('hash');
    const { rows } = await api.db.owner.query('select l::text as row from audit_log l');
    const { rows: keys } = await api.db.owner.query(`select encode(hash, 'hex') as hash from api_keys`);
    const text = rows.map(({ row }) => row).join();
    for (const { hash } of keys) expect(text).not.toContain(hash);
  });

  it('of a secret shows that there was one, not which', async () => {
    const account = await api.account();
    const viewer = await api.member(account, 'owner');
    const endpoint = newUuid();
    await api.db.owner.query(
      `insert into webhook_endpoints (id, account_id, mode, url, events, secret)
       values ($1, $2, 'live', 'https://example.com', '{*}', '\\xc0ffee')`,
      [endpoint, account],
    );
    await api.db.owner.query(
      `update webhook_endpoints set secret = '\\xdecaf0', failing_since = now() where id = $1`,
      [endpoint],
    );
    await api.db.owner.query('update webhook_endpoints set failing_since = null where id = $1', [endpoint]);
    const { data } = await log(viewer.access_token, `?target=${toId('webhookEndpoint', endpoint)}`);
    expect(data.map(({ action, changed }) => [action, changed])).toEqual([
      ['updated', ['secret']],
      ['created', null],
    ]);
    expect(data[0]).toMatchObject({
      actor: { type: 'system', id: null, name: null },
      before: { secret: '[redacted]' },
      after: { secret: '[redacted]' },
    });
    expect(data[1]?.after).toMatchObject({ secret: '[redacted]', headers: null });
    expect(JSON.stringify(data)).not.toMatch(/c0ffee|decaf0/);
  });

  it('that is undone by a rollback, or changes nothing, is not written', async () => {
    const account = await api.account();
    const owner = await api.member(account, 'owner');
    const before = (await log(owner.access_token)).data.length;
    await api.call(owner.access_token, 'PATCH', '/v1/account', { name: 'Acme' });
    const path = `/v1/members/${toId('user', owner.userId)}`;
    expect((await api.call(owner.access_token, 'PATCH', path, { role: 'viewer' })).status).toBe(409);
    expect((await log(owner.access_token)).data).toHaveLength(before);
  });

  it('in a transaction across accounts names whom it was made for', async () => {
    const account = await api.account();
    const owner = await api.member(account, 'owner');
    const actor = { type: 'user', id: owner.userId, role: 'owner' } as const;
    await api.db.database.system(async (tx) => {
      await actFor(tx, { actor, ip: '203.0.113.10' });
      await tx.query(`update accounts set name = 'By system' where id = $1`, [account]);
    });
    await api.db.database.system((tx) =>
      tx.query(`update accounts set name = 'Later' where id = $1`, [account]),
    );
    const { data } = await log(owner.access_token, '?target_type=account&action=updated');
    expect(data.map(({ actor: { type, name }, ip }) => [type, name, ip])).toEqual([
      ['system', null, null],
      ['user', owner.email, '203.0.113.10'],
    ]);
  });

  it('of people is written too: asked, joined, promoted, gone', async () => {
    const account = await api.account();
    const owner = await api.member(account, 'owner');
    await api.call(owner.access_token, 'POST', '/v1/invitations', {
      email: 'joe@example.com',
      role: 'viewer',
    });
    const token = await api.tokenIn('joe@example.com');
    await api.call('', 'POST', '/v1/invitations/accept', { token }, { 'x-forwarded-for': '203.0.113.11' });
    const { data: members } = (await api.call(owner.access_token, 'GET', '/v1/members')).json<{
      data: { id: string; email: string }[];
    }>();
    const joe = members.find(({ email }) => email === 'joe@example.com')?.id ?? '';
    await api.call(owner.access_token, 'PATCH', `/v1/members/${joe}`, { role: 'agent' });
    await api.call(owner.access_token, 'DELETE', `/v1/members/${joe}`);
    const { data } = await log(owner.access_token, '?limit=100');
    const lines = data
      .filter(({ target }) => target.type !== 'invitation' || target.id.startsWith('ivt_'))
      .map(
        ({ action, target, actor }) => `${actor.id === joe ? 'joe' : actor.type} ${action} ${target.type}`,
      );
    expect(lines.slice(0, 5)).toEqual([
      'user deleted member',
      'user updated member',
      'joe created member',
      'joe deleted invitation',
      'user created invitation',
    ]);
  });
});

describe('the audit log', () => {
  it('is for owners and admins, and shows a test key the changes of test mode alone', async () => {
    const account = await api.account();
    for (const [role, status] of Object.entries({ owner: 200, admin: 200, developer: 403, viewer: 403 })) {
      const { access_token } = await api.member(account, role);
      expect((await api.call(access_token, 'GET', '/v1/audit-log')).status, role).toBe(status);
    }
    const live = await api.issue(account);
    const test = await api.issue(account, { mode: 'test' });
    expect(new Set((await log(live, '?limit=100')).data.map(({ mode }) => mode))).toEqual(
      new Set([null, 'test', 'live']),
    );
    expect(new Set((await log(test, '?limit=100')).data.map(({ mode }) => mode))).toEqual(new Set(['test']));
  });

  it('shows another account nothing', async () => {
    const [ours, theirs] = [await api.account('Ours'), await api.account('Theirs')];
    const key = await api.issue(theirs);
    await api.issue(ours, { name: 'confidential' });
    expect(JSON.stringify(await log(key, '?limit=100'))).not.toContain('confidential');
  });

  it('is filtered and paged', async () => {
    const account = await api.account();
    const key = await api.issue(account);
    for (const name of ['a', 'b', 'c']) await api.call(key, 'PATCH', '/v1/account', { name });
    const [self] = (await log(key, '?target_type=api_key')).data;
    const keyId = self?.target.id ?? '';
    const byKey = await log(key, `?actor=${keyId}&limit=2`);
    expect(byKey.data.map(({ after }) => after?.['name'])).toEqual(['c', 'b']);
    const rest = await log(key, `?actor=${keyId}&limit=2&after=${byKey.next_cursor}`);
    expect(rest.data.map(({ after }) => after?.['name'])).toEqual(['a']);
    expect(rest.next_cursor).toBeNull();
    expect((await log(key, '?since=2999-01-01T00:00:00Z')).data).toEqual([]);
    expect((await log(key, '?until=2020-01-01T00:00:00Z')).data).toEqual([]);
    expect((await log(key, '?action=deleted')).data).toEqual([]);
    expect((await api.call(key, 'GET', '/v1/audit-log?target=nonsense')).status).toBe(422);
  });

  it('is exported whole as CSV and as JSON lines, formulas disarmed', async () => {
    const account = await api.account();
    const key = await api.issue(account);
    await api.db.owner.query(
      `insert into invitations (id, account_id, email, role, token_hash, created_at, expires_at)
       select gen_random_uuid(), $1, 'x' || i || '@example.com', 'viewer', decode(md5(i::text), 'hex'), now(), now()
       from generate_series(1, 2500) i`,
      [account],
    );
    await api.call(key, 'PATCH', '/v1/account', { name: '=cmd()' });
    const lines = (await api.call(key, 'GET', '/v1/audit-log/export?format=jsonl')).text.trim().split('\n');
    expect(lines.length).toBeGreaterThan(2500);
    const ids = lines.map((line) => JSON.parse(line).id);
    expect(new Set(ids).size).toBe(lines.length);
    const csv = await api.call(key, 'GET', '/v1/audit-log/export?format=csv&target_type=account');
    expect(csv.headers.get('content-disposition')).toContain('audit-log.csv');
    expect(csv.text.split('\r\n')[0]).toContain('actor_name');
    expect(csv.text).toContain('=cmd()');
    expect(csv.text).not.toMatch(/(^|,)=cmd/m);
  });
});
