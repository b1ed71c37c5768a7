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
