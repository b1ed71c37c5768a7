import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findWrappedKey } from '../../../src/features/accounts/accounts.system.ts';
import { toId } from '../../../src/lib/ids.ts';
import { createVault } from '../../../src/platform/crypto/vault.ts';
import { contextOf } from '../../support/context.ts';
import { type Api, openApi } from '../api-keys/open-api.ts';

let api: Api;
beforeAll(async () => {
  api = await openApi();
});
afterAll(() => api.close());

describe('an account', () => {
  it('is made with a data key that the vault can use', async () => {
    expect(await api.accounts.any()).toBe(false);
    const account = await api.accounts.create({ name: 'Acme' });
    expect(await api.accounts.any()).toBe(true);
    const cipher = await api.db.vault.of(account.id);
    expect(cipher.open(cipher.seal(Buffer.from('hi'), 'test'), 'test').toString()).toBe('hi');
    expect(await api.accounts.get(contextOf(account.id))).toMatchObject({ id: account.id, name: 'Acme' });
  });

  it('has a data key that another master key cannot unwrap', async () => {
    const { id } = await api.accounts.create({ name: 'Acme' });
    const other = createVault({
      masterKey: randomBytes(32),
      loadWrappedKey: (accountId) => api.db.database.systemOnce((tx) => findWrappedKey(tx, accountId)),
    });
    await expect(other.of(id)).rejects.toThrow();
  });
});

describe('GET /v1/account', () => {
  it('shows the account, mode and scopes of the key', async () => {
    const { text, accountId } = await api.issue({ scopes: ['account:read', 'messages:read'] });
    const { status, json } = await api.call(text, 'GET', '/v1/account');
    expect(status).toBe(200);
    expect(json()).toEqual({
      id: toId('account', accountId),
      name: 'Acme',
      email: null,
      mode: 'test',
      scopes: ['account:read', 'messages:read'],
      created_at: expect.stringMatching(/^\d{4}-.*Z$/),
    });
  });

  it('is 401 without a key, 403 without the scope, 422 with parameters', async () => {
    const { text } = await api.issue({ scopes: ['messages:read'] });
    expect((await fetch(`${api.edge.url}/v1/account`)).status).toBe(401);
    expect((await api.call(text, 'GET', '/v1/account')).status).toBe(403);
    const { text: full } = await api.issue();
    expect((await api.call(full, 'GET', '/v1/account?x=1')).status).toBe(422);
  });

  it('is 404 once the account is gone', async () => {
    const { text, accountId } = await api.issue();
    expect((await api.call(text, 'GET', '/v1/account')).status).toBe(200);
    await api.db.owner.query('delete from accounts where id = $1', [accountId]);
    const { status, json } = await api.call(text, 'GET', '/v1/account');
    expect([status, json().code]).toEqual([404, 'account.not_found']);
    await expect.poll(async () => (await api.call(text, 'GET', '/v1/account')).status).toBe(401);
  });
});

describe('PATCH /v1/account', () => {
  const change = async (body: unknown, scopes = ['account:write', 'account:read']) => {
    const { text, accountId } = await api.issue({ scopes, mode: 'live' });
    const { status, json } = await api.call(text, 'PATCH', '/v1/account', body);
    return {
      status,
      body: json(),
      accountId,
      shown: async () => (await api.call(text, 'GET', '/v1/account')).json(),
    };
  };

  it('changes what is given, for GET to show', async () => {
    const changed = await change({ name: '  Acme India ', email: 'Owner@example.com' });
    expect(changed.status).toBe(200);
    expect(changed.body).toMatchObject({ name: 'Acme India', email: 'Owner@example.com' });
    expect(await changed.shown()).toEqual(changed.body);
  });

  it('leaves alone what is not, and forgets the address with null', async () => {
    const { text } = await api.issue({ mode: 'live' });
    const patch = async (body: unknown) => (await api.call(text, 'PATCH', '/v1/account', body)).json();
    await patch({ email: 'owner@example.com' });
    expect(await patch({ name: 'New' })).toMatchObject({ name: 'New', email: 'owner@example.com' });
    expect(await patch({})).toMatchObject({ name: 'New', email: 'owner@example.com' });
    expect(await patch({ email: null })).toMatchObject({ name: 'New', email: null });
  });

  it.each([
    [{ email: 'nobody' }, '/email'],
    [{ email: 'a@example.com, b@example.com' }, '/email'],
    [{ email: 'a@example.com\r\nBcc: b@example.com' }, '/email'],
    [{ email: `${'a'.repeat(250)}@example.com` }, '/email'],
    [{ name: ' ' }, '/name'],
    [{ name: null }, '/name'],
    [{ plan: 'free' }, '/plan'],
  ])('refuses %o', async (body, pointer) => {
    const refused = await change(body);
    expect(refused.status).toBe(422);
    expect(refused.body.errors).toMatchObject([{ pointer }]);
  });

  it('is not for test keys', async () => {
    const { text } = await api.issue();
    const { status, json } = await api.call(text, 'PATCH', '/v1/account', { name: 'x' });
    expect([status, json().code]).toEqual([403, 'account.live_key_needed']);
  });

  it('needs its scope, and touches no other account', async () => {
    expect((await change({ name: 'x' }, ['account:read'])).status).toBe(403);
    const other = await api.issue();
    await change({ name: 'Mine', email: 'me@example.com' });
    expect((await api.call(other.text, 'GET', '/v1/account')).json()).toMatchObject({
      name: 'Acme',
      email: null,
    });
  });
});
