import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { networkOf } from '../../../src/features/abuse/networks.model.ts';
import { toId } from '../../../src/lib/ids.ts';
import { contextOf } from '../../support/context.ts';
import { type Abuse, openAbuse } from './open-abuse.ts';

let abuse: Abuse;
beforeAll(async () => {
  abuse = await openAbuse();
});
afterAll(() => abuse.close());

const use = async (ip: string, key: string) => (await abuse.callFrom(ip, key, 'GET', '/v1/api-keys')).status;
const kinds = async (key: string) => (await abuse.list(key)).map(({ kind }) => kind);

/** As if the key had been in use for so long. */
async function age(keyId: string, days: number): Promise<void> {
  for (const table of ['key_networks', 'key_countries']) {
    await abuse.db.owner.query(
      `update ${table} set first_at = now() - make_interval(days => $2) where key_id = $1`,
      [keyId, days],
    );
  }
}

const networksOf = async (keyId: string) =>
  (
    await abuse.db.owner.query('select network from key_networks where key_id = $1 order by 1', [keyId])
  ).rows.map(({ network }) => network);

/** Tries wrong keys from an address. */
async function guess(ip: string, times: number): Promise<void> {
  for (let i = 0; i < times; i++) expect([401, 429]).toContain(await use(ip, `pk_live_wrong${i}`));
}

describe('a key that was in use for a day', () => {
  it('is reported once when it is used from a new network', async () => {
    const { id, live } = await abuse.account();
    await use('203.0.113.7', live.text);
    await expect.poll(() => networksOf(live.row.id)).toEqual(['203.0.0.0/16']);
    await age(live.row.id, 2);
    await use('203.0.200.1', live.text);
    await use('198.51.100.1', live.text);
    await use('198.51.7.7', live.text);
    await expect.poll(() => kinds(live.text)).toEqual(['new_network']);
    const [alert] = await abuse.list(live.text);
    expect(alert).toMatchObject({
      ...{ mode: 'live', subject: toId('apiKey', live.row.id), count: 1, restriction: null },
      detail: { network: '198.51.0.0/16', country: null },
    });
    const { rows } = await abuse.db.owner.query('select type, data from events where account_id = $1', [id]);
    expect(rows).toMatchObject([
      {
        type: 'account.suspicious_activity',
        data: { kind: 'new_network', detail: { network: '198.51.0.0/16', country: null } },
      },
    ]);
    const mails = await abuse.db.owner.query('select template from mails where account_id = $1', [id]);
    expect(mails.rows).toEqual([{ template: 'suspicious_activity' }]);
    expect(abuse.told).toContain(id);
  });

  it('is not while it is new, nor from private addresses', async () => {
    const { live } = await abuse.account();
    await use('203.0.113.7', live.text);
    await use('198.51.100.1', live.text);
    await expect.poll(() => networksOf(live.row.id)).toHaveLength(2);
    await age(live.row.id, 2);
    for (const ip of ['10.1.2.3', '192.168.1.1', '::1', 'fd00::1']) await use(ip, live.text);
    await new Promise((resolve) => setTimeout(resolve, 1_300));
    expect(await networksOf(live.row.id)).toHaveLength(2);
    expect(await kinds(live.text)).toEqual([]);
  });
});

describe('an address from which many keys fail', () => {
  it('makes a key that works from there suspicious, and tightens what it may do', async () => {
    const { id, live, test } = await abuse.account();
    await guess('203.0.113.66', 25);
    expect(await use('203.0.113.66', live.text)).toBe(200);
    await expect.poll(() => kinds(live.text)).toEqual(['failing_keys']);
    const [alert] = await abuse.list(live.text);
    expect(alert).toMatchObject({ detail: { address: '203.0.113.66' }, restriction: { factor: 0.25 } });
    await expect.poll(() => abuse.limits.factorOf(id, 'live')).toBe(0.25);
    expect(abuse.limits.factorOf(id, 'test')).toBe(1);
    // A counter keeps the limit of its window; a fresh key of the account begins with the tightened one.
    const fresh = await abuse.keys.issue(id, { name: 'new', mode: 'live', scopes: ['*'] });
    const limited = await abuse.callFrom('127.0.0.1', fresh.text, 'GET', '/v1/account/alerts');
    expect(limited.headers.get('ratelimit-limit')).toBe('250');
    expect(await kinds(test.text)).toEqual([]);

    // The key can be ended at once, also where it is known already.
    await abuse.keys.revoke({ ...contextOf(id), mode: 'live' }, live.row.id);
    await expect.poll(() => use('203.0.113.66', live.text)).not.toBe(200);
  });

  it('counts revoked keys of an account, too', async () => {
    const { id, live } = await abuse.account();
    const { text, row } = await abuse.keys.issue(id, { name: 'old', mode: 'live', scopes: ['*'] });
    await abuse.db.owner.query('update api_keys set revoked_at = now() where id = $1', [row.id]);
    for (let i = 0; i < 22; i++) expect(await use('203.0.113.90', text)).toBe(401);
    await expect.poll(() => kinds(live.text)).toEqual(['failing_keys']);
    expect((await abuse.list(live.text))[0]?.subject).toBe(toId('apiKey', row.id));
  });

  it('is not one with a few mistakes', async () => {
    const { live } = await abuse.account();
    await guess('203.0.113.77', 10);
    await use('203.0.113.77', live.text);
    await new Promise((resolve) => setTimeout(resolve, 1_300));
    expect(await kinds(live.text)).toEqual([]);
  });
});

describe('the network of an address', () => {
  it.each([
    ['203.0.113.7', '203.0.0.0/16'],
    ['::ffff:203.0.113.7', '203.0.0.0/16'],
    ['2a00:1450:4001:82b::200e', '2a00:1450::/32'],
    ['127.0.0.1', undefined],
    ['10.0.0.1', undefined],
    ['fe80::1', undefined],
    ['nonsense', undefined],
  ])('of %s is %s', (ip, network) => {
    expect(networkOf(ip)).toBe(network);
  });
});
