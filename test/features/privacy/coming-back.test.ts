import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scopesOfRole } from '../../../src/features/members/roles.model.ts';
import { createClosuresService } from '../../../src/features/privacy/closures.service.ts';
import { createExportsService } from '../../../src/features/privacy/exports.service.ts';
import { privacyRoutes } from '../../../src/features/privacy/privacy.routes.ts';
import { createRestoreTokens } from '../../../src/features/privacy/restore-link.ts';
import { newUuid, toId } from '../../../src/lib/ids.ts';
import { openPeopleApi, type PeopleApi, type Tokens } from '../sign-in/open-people.ts';

// Who may undo a deletion, and how they come to know of it.

const noJobs = {
  queue: () => {
    throw new Error('nothing is queued here');
  },
};
const noFiles = { signedUrl: () => Promise.reject(new Error('no files here')) };

let api: PeopleApi;
beforeAll(async () => {
  api = await openPeopleApi({
    more: ({ db: { database }, accounts, mail, masterKey, clock }) => {
      const shared = { database, accounts, mail, clock, newUuid, jobs: noJobs, files: noFiles };
      const closures = createClosuresService({
        ...shared,
        tokens: createRestoreTokens(masterKey),
        restoreDays: 7,
        scopesOf: scopesOfRole,
        restoreUrl: (token) => `https://pingr.test/account/restore?token=${token}`,
      });
      return privacyRoutes(closures, createExportsService(shared));
    },
  });
});
afterAll(() => api.close());

type Account = { id: string; closed: boolean };

const close = (credential: string) => api.call(credential, 'DELETE', '/v1/account', { confirm: 'Acme' });
const restore = (credential: string, accountId: string) =>
  api.call(credential, 'POST', `/v1/me/accounts/${toId('account', accountId)}/restore`);
const restoreBy = (token: string, headers = {}) =>
  api.call('', 'POST', '/v1/account/restore', { token }, headers);
const accountsOf = async (credential: string) =>
  (await api.call(credential, 'GET', '/v1/me')).json<{ accounts: Account[] }>().accounts;
const isClosed = async (accountId: string) => {
  const { rowCount } = await api.db.owner.query('select from account_closures where account_id = $1', [
    accountId,
  ]);
  return rowCount === 1;
};

/** Restore tokens mailed about accounts, by address. */
async function mailedTokens(...addresses: string[]): Promise<string[]> {
  const mails = await api.mailbox();
  return addresses.map((address) => {
    const mail = mails.find(({ to, text }) => to === address && text.includes('/account/restore'));
    return /restore\?token=(\S+)/.exec(mail?.text ?? '')?.[1] ?? '';
  });
}

/** Who restored the account last, as the audit log has it. */
async function restorer(accountId: string) {
  const { rows } = await api.db.owner.query(
    `select actor_type, actor_id, ip, user_agent from audit_log
     where account_id = $1 and target_type = 'account_closures' and action = 'deleted' order by id desc limit 1`,
    [accountId],
  );
  return rows[0];
}

describe('the mail about a deletion', () => {
  it('goes to each owner of now, with a link of their own, and to no owner of before', async () => {
    const id = await api.account();
    const first = await api.member(id, 'owner');
    const [second, third] = [await api.member(id, 'owner'), await api.member(id, 'owner')];
    const admin = await api.member(id, 'admin');
    await api.db.owner.query('update accounts set email = $2 where id = $1', [id, first.email]);
    const removed = await api.call(
      second.access_token,
      'DELETE',
      `/v1/members/${toId('user', first.userId)}`,
    );
    expect(removed.status).toBe(204);
    expect((await close(second.access_token)).json()).toMatchObject({ restore_token: null });
    const tokens = await mailedTokens(second.email, third.email);
    expect(new Set(tokens).size).toBe(2);
    expect(await mailedTokens(first.email, admin.email)).toEqual(['', '']);
  });

  it('names in the audit log whose link it was, with address and program', async () => {
    const id = await api.account();
    const [first, second] = [await api.member(id, 'owner'), await api.member(id, 'owner')];
    await close(first.access_token);
    const [token = ''] = await mailedTokens(second.email);
    const answer = await restoreBy(token, { 'x-forwarded-for': '203.0.113.9', 'user-agent': 'browser/1' });
    expect([answer.status, answer.json()]).toEqual([200, { name: 'Acme' }]);
    expect(await restorer(id)).toEqual({
      actor_type: 'user',
      actor_id: second.userId,
      ip: '203.0.113.9',
      user_agent: 'browser/1',
    });
  });

  it('has a link that ends with the ownership of whom it was mailed to', async () => {
    const id = await api.account();
    const [first, second] = [await api.member(id, 'owner'), await api.member(id, 'owner')];
    await close(first.access_token);
    const [token = ''] = await mailedTokens(second.email);
    await api.db.owner.query('delete from members where user_id = $1', [second.userId]);
    expect((await restoreBy(token)).json().code).toBe('account.restore_link_invalid');
    expect(await isClosed(id)).toBe(true);
  });
});

describe('an account without owners', () => {
  it('writes to its own address, whose link tells from where it was used', async () => {
    const id = await api.account();
    const address = `${newUuid()}@example.com`;
    await api.db.owner.query('update accounts set email = $2 where id = $1', [id, address]);
    expect((await close(await api.issue(id))).json()).toMatchObject({ restore_token: null });
    const [token = ''] = await mailedTokens(address);
    const headers = { 'x-forwarded-for': '203.0.113.8', 'user-agent': 'curl/8' };
    expect((await restoreBy(token, headers)).status).toBe(200);
    expect(await restorer(id)).toEqual({
      actor_type: 'system',
      actor_id: null,
      ip: '203.0.113.8',
      user_agent: 'curl/8',
    });
  });

  it('gives the token to whoever deletes it where it has no address either', async () => {
    const id = await api.account();
    const key = await api.issue(id);
    const { restore_token } = (await close(key)).json<{ restore_token: string }>();
    expect((await restoreBy(restore_token)).status).toBe(200);
    await expect.poll(async () => (await api.call(key, 'GET', '/v1/account')).status).toBe(200);
  });
});

describe('people of an account that is closed', () => {
  it('are signed out, and find it closed when they sign in again', async () => {
    const id = await api.account();
    const owner = await api.member(id, 'owner');
    await close(owner.access_token);
    const refreshed = await api.call('', 'POST', '/v1/auth/refresh', { refresh_token: owner.refresh_token });
    expect([refreshed.status, refreshed.json().code]).toEqual([401, 'auth.refresh_invalid']);
    await expect.poll(async () => (await api.call(owner.access_token, 'GET', '/v1/me')).status).toBe(401);

    const { access_token } = await api.signIn(owner.email);
    expect(await accountsOf(access_token)).toMatchObject([{ id: toId('account', id), closed: true }]);
    const sees = await api.call(access_token, 'GET', '/v1/account');
    expect([sees.status, sees.json().code]).toEqual([403, 'auth.account_closed']);
    expect((await api.call(access_token, 'POST', '/v1/auth/sign-out')).status).toBe(204);
  });

  it('stay signed in where they have another account', async () => {
    const id = await api.account();
    const [owner, guest] = [await api.member(id, 'owner'), await api.member(id, 'viewer')];
    const other = await api.account('Other');
    await api.db.owner.query(`insert into members (account_id, user_id, role) values ($1, $2, 'owner')`, [
      other,
      guest.userId,
    ]);
    await close(owner.access_token);
    const refreshed = await api.call('', 'POST', '/v1/auth/refresh', { refresh_token: guest.refresh_token });
    expect(refreshed.status).toBe(200);
    const { access_token } = refreshed.json<Tokens>();
    await expect
      .poll(async () => (await accountsOf(access_token)).map(({ closed }) => closed))
      .toContain(true);
    expect((await api.call(access_token, 'GET', '/v1/account')).json()).toMatchObject({ name: 'Other' });
  });

  it('bring it back as its owners, without any mail', async () => {
    const id = await api.account();
    const owner = await api.member(id, 'owner');
    await close(owner.access_token);
    const { access_token } = await api.signIn(owner.email);
    const answer = await restore(access_token, id);
    expect([answer.status, answer.json()]).toEqual([200, { name: 'Acme' }]);
    expect(await restorer(id)).toMatchObject({ actor_type: 'user', actor_id: owner.userId });
    await expect.poll(async () => (await api.call(access_token, 'GET', '/v1/account')).status).toBe(200);
    expect((await restore(access_token, id)).json().code).toBe('account.not_closed');
  });

  it('do not where they are no owners of it, nor members', async () => {
    const id = await api.account();
    const [owner, admin] = [await api.member(id, 'owner'), await api.member(id, 'admin')];
    const stranger = await api.member(await api.account('Elsewhere'), 'owner');
    await close(owner.access_token);
    const again = await api.signIn(admin.email);
    expect((await restore(again.access_token, id)).json().code).toBe('auth.scope_missing');
    expect((await restore(stranger.access_token, id)).json().code).toBe('account.not_closed');
    expect(await isClosed(id)).toBe(true);
  });
});
