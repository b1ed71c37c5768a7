import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toId } from '../../../src/lib/ids.ts';
import { eventually } from '../../support/eventually.ts';
import { openPeopleApi, type PeopleApi } from '../sign-in/open-people.ts';

let api: PeopleApi;
beforeAll(async () => {
  api = await openPeopleApi();
});
afterAll(() => api.close());

const codeOf = async (answer: ReturnType<PeopleApi['call']>) => (await answer).json().code;
const path = ({ userId }: { userId: string }) => `/v1/members/${toId('user', userId)}`;

describe('members', () => {
  it('are listed with their roles, and no others', async () => {
    const account = await api.account();
    await api.member(await api.account('Other'), 'owner');
    const owner = await api.member(account, 'owner');
    const viewer = await api.member(account, 'viewer');
    const list = (await api.call(viewer.access_token, 'GET', '/v1/members')).json<{
      data: { id: string; email: string; role: string }[];
    }>();
    expect(list.data.map(({ email, role }) => [email, role])).toEqual([
      [viewer.email, 'viewer'],
      [owner.email, 'owner'],
    ]);
    expect(JSON.stringify(list)).not.toMatch(/firebase|refresh/);
  });

  it('take another role within two seconds', async () => {
    const account = await api.account();
    const owner = await api.member(account, 'owner');
    const agent = await api.member(account, 'agent');
    expect((await api.call(agent.access_token, 'GET', '/v1/api-keys')).status).toBe(403);
    const changed = await api.call(owner.access_token, 'PATCH', path(agent), { role: 'developer' });
    expect(changed.json()).toMatchObject({ role: 'developer' });
    await eventually(
      () => api.call(agent.access_token, 'GET', '/v1/api-keys').then(({ status }) => status),
      (status) => status === 200,
    );
  });

  it('are changed by nobody who may do less', async () => {
    const account = await api.account();
    const [owner, admin, viewer] = await Promise.all([
      api.member(account, 'owner'),
      api.member(account, 'admin'),
      api.member(account, 'viewer'),
    ]);
    const as = (token: string, who: { userId: string }, role: string) =>
      codeOf(api.call(token, 'PATCH', path(who), { role }));
    expect(await as(admin.access_token, viewer, 'owner')).toBe('member.role_forbidden');
    expect(await as(admin.access_token, admin, 'owner')).toBe('member.role_forbidden');
    expect(await as(admin.access_token, owner, 'viewer')).toBe('member.role_forbidden');
    expect(await codeOf(api.call(admin.access_token, 'DELETE', path(owner)))).toBe('member.role_forbidden');
    expect(await as(viewer.access_token, viewer, 'admin')).toBe('auth.scope_missing');
  });

  it('of other accounts are not there', async () => {
    const owner = await api.member(await api.account(), 'owner');
    const stranger = await api.member(await api.account('Other'), 'viewer');
    for (const method of ['GET', 'DELETE']) {
      expect(await codeOf(api.call(owner.access_token, method, path(stranger)))).toBe('member.not_found');
    }
    const changing = api.call(owner.access_token, 'PATCH', path(stranger), { role: 'admin' });
    expect(await codeOf(changing)).toBe('member.not_found');
  });

  it('are out within two seconds of being removed, and forgotten where it was their last account', async () => {
    const account = await api.account();
    const owner = await api.member(account, 'owner');
    const gone = await api.member(account, 'developer');
    expect((await api.call(gone.access_token, 'GET', '/v1/me')).status).toBe(200);
    expect((await api.call(owner.access_token, 'DELETE', path(gone))).status).toBe(204);
    await eventually(
      () => api.call(gone.access_token, 'GET', '/v1/me').then(({ status }) => status),
      (status) => status === 401,
    );
    const { rows } = await api.db.owner.query('select from users where id = $1', [gone.userId]);
    expect(rows).toEqual([]);
  });

  it('stay who they are where they have another account', async () => {
    const [first, second] = [await api.account('First'), await api.account('Second')];
    await api.member(first, 'owner');
    const both = await api.member(first, 'agent');
    await api.db.owner.query(`insert into members (account_id, user_id, role) values ($1, $2, 'viewer')`, [
      second,
      both.userId,
    ]);
    const leaving = await api.call(both.access_token, 'DELETE', `/v1/me/accounts/${toId('account', first)}`);
    expect(leaving.status).toBe(204);
    const account = await eventually(
      () => api.call(both.access_token, 'GET', '/v1/account'),
      ({ status }) => status === 200,
    );
    expect(account.json()).toMatchObject({ name: 'Second' });
  });
});

describe('the last owner', () => {
  it('can neither leave, nor be removed, nor become something else', async () => {
    const account = await api.account();
    const owner = await api.member(account, 'owner');
    const token = owner.access_token;
    const leave = api.call(token, 'DELETE', `/v1/me/accounts/${toId('account', account)}`);
    expect(await codeOf(leave)).toBe('member.last_owner');
    expect(await codeOf(api.call(token, 'DELETE', path(owner)))).toBe('member.last_owner');
    const stepDown = api.call(token, 'PATCH', path(owner), { role: 'admin' });
    expect(await codeOf(stepDown)).toBe('member.last_owner');
    const key = await api.issue(account);
    expect(await codeOf(api.call(key, 'DELETE', path(owner)))).toBe('member.last_owner');
  });

  it('is left also where all owners go at the same time', async () => {
    const account = await api.account();
    const owners = [];
    for (let i = 0; i < 4; i++) owners.push(await api.member(account, 'owner'));
    const answers = await Promise.all(
      owners.map((owner, i) =>
        i % 2 === 0
          ? api.call(owner.access_token, 'DELETE', `/v1/me/accounts/${toId('account', account)}`)
          : api.call(owner.access_token, 'PATCH', path(owner), { role: 'viewer' }),
      ),
    );
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(1);
    const { rows } = await api.db.owner.query(
      `select count(*)::int as n from members where account_id = $1 and role = 'owner'`,
      [account],
    );
    expect(rows[0].n).toBe(1);
  });
});
