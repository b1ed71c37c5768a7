import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAuthenticator } from '../../../src/features/api-keys/authenticate-key.ts';
import { newKeyText } from '../../../src/features/api-keys/key-text.ts';
import { createKeyUsage } from '../../../src/features/api-keys/key-usage.ts';
import { contextOf } from '../../support/context.ts';
import { silentLog } from '../../support/log.ts';
import { type Api, openApi } from './open-api.ts';

let api: Api;
beforeAll(async () => {
  api = await openApi();
});
afterAll(() => api.close());

const code = async (key: string, headers = {}) => {
  const { status, text } = await api.call(key, 'GET', '/v1/account', undefined, headers);
  return status === 200 ? 'ok' : JSON.parse(text).code;
};

describe('a key', () => {
  it('is refused when it is made up, malformed, or of another pepper', async () => {
    expect(await code(newKeyText('test', randomBytes))).toBe('auth.key_invalid');
    expect(await code('pk_test_short')).toBe('auth.key_invalid');
    expect(await code('nonsense')).toBe('auth.key_invalid');
  });

  it('is refused after its end', async () => {
    const { text } = await api.issue({ expiresAt: new Date(Date.now() + 60_000) });
    expect(await code(text)).toBe('ok');
    api.clock.ahead = 61_000;
    expect(await code(text)).toBe('auth.key_expired');
    api.clock.ahead = 0;
  });

  it('with allowed addresses is refused from others, behind a proxy too', async () => {
    const { text } = await api.issue({ allowedIps: ['203.0.113.0/24'] });
    expect(await code(text)).toBe('auth.address_not_allowed');
    expect(await code(text, { 'x-forwarded-for': '203.0.113.9' })).toBe('ok');
    expect(await code(text, { 'x-forwarded-for': '203.0.114.9' })).toBe('auth.address_not_allowed');
  });

  it('costs the database one look a second, however often it is used', async () => {
    const { text } = await api.issue();
    let looks = 0;
    const authenticate = await createAuthenticator({
      ...api,
      database: {
        ...api.db.database,
        systemOnce: (work) => {
          looks++;
          return api.db.database.systemOnce(work);
        },
      },
    });
    await Promise.all(Array.from({ length: 50 }, () => authenticate(text, '127.0.0.1')));
    for (let i = 0; i < 50; i++) await authenticate(text, '127.0.0.1');
    expect(looks).toBeLessThanOrEqual(2);
    const unknown = newKeyText('test', randomBytes);
    looks = 0;
    for (let i = 0; i < 20; i++) await authenticate(unknown, '127.0.0.1').catch(() => {});
    expect(looks).toBeLessThanOrEqual(2);
    await authenticate('pk_test_malformed', '127.0.0.1').catch(() => {});
    expect(looks).toBeLessThanOrEqual(2);
  });

  it('that is revoked ends in every process by the notice, and without it when it is no longer believed unseen', async () => {
    const { text, accountId, id } = await api.issue();
    const hears = await createAuthenticator({ ...api, database: api.db.database, believedForMs: 3_600_000 });
    const deaf = await createAuthenticator({
      ...api,
      database: api.db.database,
      notices: { listen: async () => undefined },
    });
    await Promise.all([hears(text, '127.0.0.1'), deaf(text, '127.0.0.1')]);
    await api.keys.revoke(contextOf(accountId), id);
    await expect.poll(() => hears(text, '::1').catch((error: unknown) => String(error))).toContain('revoked');
    await expect.poll(() => deaf(text, '::1').catch((error: unknown) => String(error))).toContain('revoked');
  });

  it('works again right after the database was away', async () => {
    const { text } = await api.issue();
    let away = true;
    const authenticate = await createAuthenticator({
      ...api,
      database: {
        ...api.db.database,
        systemOnce: (work) => (away ? Promise.reject(new Error('away')) : api.db.database.systemOnce(work)),
      },
    });
    await expect(authenticate(text, '::1')).rejects.toThrow('away');
    away = false;
    expect((await authenticate(text, '::1')).mode).toBe('test');
  });
});

describe('the last use of a key', () => {
  const lastUse = async (id: string): Promise<Date | null> =>
    (await api.db.owner.query('select last_used_at from api_keys where id = $1', [id])).rows[0].last_used_at;

  it('is gathered and written by one statement for many keys', async () => {
    const keys = await Promise.all(Array.from({ length: 5 }, () => api.issue()));
    for (const { text } of keys) for (let i = 0; i < 4; i++) await code(text);
    expect(await lastUse(keys[0]?.id ?? '')).toBeNull();
    await api.usage.flush();
    for (const { id } of keys) {
      expect(Math.abs((await lastUse(id))?.getTime() ?? 0) - Date.now()).toBeLessThan(5_000);
    }
  });

  it('is kept when it cannot be written, and never moves back', async () => {
    const { id } = await api.issue();
    let away = true;
    const systemOnce: typeof api.db.database.systemOnce = (work) =>
      away ? Promise.reject(new Error('away')) : api.db.database.systemOnce(work);
    const usage = createKeyUsage({
      database: { ...api.db.database, systemOnce },
      clock: api.clock,
      log: silentLog,
    });
    usage.used(id);
    await usage.flush();
    expect(await lastUse(id)).toBeNull();
    away = false;
    await usage.close();
    const written = await lastUse(id);
    expect(written).not.toBeNull();

    api.clock.ahead = -3_600_000;
    usage.used(id);
    await usage.flush();
    api.clock.ahead = 0;
    expect(await lastUse(id)).toEqual(written);
  });
});
