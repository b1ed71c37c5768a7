import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toId } from '../../../src/lib/ids.ts';
import { type Abuse, openAbuse } from './open-abuse.ts';

/** Where addresses of this file are, by their first number. */
const COUNTRIES = { 49: 'IN', 103: 'IN', 177: 'BR', 189: 'BR', 95: 'RU' };

let abuse: Abuse;
beforeAll(async () => {
  abuse = await openAbuse();
});
afterAll(() => abuse.close());

async function use(ip: string, key: string, country = countryIn(ip)): Promise<void> {
  if (country !== undefined) abuse.countries.set(ip, country);
  expect((await abuse.callFrom(ip, key, 'GET', '/v1/api-keys')).status).toBe(200);
}
const countryIn = (ip: string) =>
  Object.entries(COUNTRIES).find(([first]) => ip.startsWith(`${first}.`))?.[1];

const alertsOf = async (key: string) =>
  (await abuse.list(key)).map(({ kind, count, detail }) => ({ kind, count, detail })).toReversed();

const countriesOf = async (keyId: string) =>
  (
    await abuse.db.owner.query('select country from key_countries where key_id = $1 order by 1', [keyId])
  ).rows.map(({ country }) => country);

const networksOf = async (keyId: string) =>
  (
    await abuse.db.owner.query('select network from key_networks where key_id = $1 order by 1', [keyId])
  ).rows.map(({ network }) => network);

const fromIndia = { networks: ['49.36.0.0/16'], countries: ['IN'] };

describe('a key that was in use for a day', () => {
  it('is reported once, and as nothing else, when it is used in a new country', async () => {
    const { accountId, keyId, key } = await abuse.keyInUse(fromIndia);
    await use('177.1.2.3', key);
    const detail = { address: '177.1.2.3', country: 'BR', known_countries: ['IN'] };
    await expect.poll(() => alertsOf(key)).toEqual([{ kind: 'new_country', count: 1, detail }]);
    const [alert] = await abuse.list(key);
    expect(alert).toMatchObject({ subject: toId('apiKey', keyId), mode: 'live', restriction: null });
    expect(alert?.message).toContain('from Brazil (177.1.2.3)');
    const { rows } = await abuse.db.owner.query('select type, data from events where account_id = $1', [
      accountId,
    ]);
    expect(rows).toMatchObject([
      { type: 'account.suspicious_activity', data: { kind: 'new_country', subject: keyId, detail } },
    ]);
    const mails = await abuse.db.owner.query('select template from mails where account_id = $1', [accountId]);
    expect(mails.rows).toEqual([{ template: 'suspicious_activity' }]);
    expect(abuse.told).toContain(accountId);
  });

  it('is reported for a new network in a country that it was used in', async () => {
    const { key } = await abuse.keyInUse(fromIndia);
    await use('103.21.58.1', key);
    const detail = { network: '103.21.0.0/16', country: 'IN' };
    await expect.poll(() => alertsOf(key)).toEqual([{ kind: 'new_network', count: 1, detail }]);
  });

  it('is reported for a new country within a network that it was used from', async () => {
    const { keyId, key } = await abuse.keyInUse({ networks: ['103.21.0.0/16'], countries: ['IN'] });
    await use('103.21.60.1', key, 'AU');
    const detail = { address: '103.21.60.1', country: 'AU', known_countries: ['IN'] };
    await expect.poll(() => alertsOf(key)).toEqual([{ kind: 'new_country', count: 1, detail }]);
    expect(await networksOf(keyId)).toEqual(['103.21.0.0/16']);
    expect(await countriesOf(keyId)).toEqual(['AU', 'IN']);
  });

  it('is reported for new networks of IPv6, too', async () => {
    const { key } = await abuse.keyInUse(fromIndia);
    await use('2804:14c::1', key, 'IN');
    const detail = { network: '2804:14c::/32', country: 'IN' };
    await expect.poll(() => alertsOf(key)).toEqual([{ kind: 'new_network', count: 1, detail }]);
  });

  it('counts a second new country on, with the first among the known', async () => {
    const { key } = await abuse.keyInUse(fromIndia);
    await use('177.1.2.3', key);
    await expect.poll(() => alertsOf(key)).toMatchObject([{ kind: 'new_country', count: 1 }]);
    await use('95.1.2.3', key);
    const detail = { address: '95.1.2.3', country: 'RU', known_countries: ['BR', 'IN'] };
    await expect.poll(() => alertsOf(key)).toEqual([{ kind: 'new_country', count: 2, detail }]);
  });

  it('is not reported for countries that it was used in, nor from where no country is known', async () => {
    const { keyId, key } = await abuse.keyInUse({
      networks: ['49.36.0.0/16', '177.1.0.0/16'],
      countries: ['IN', 'BR'],
    });
    await use('49.36.9.9', key);
    await use('177.1.9.9', key);
    for (const ip of ['10.1.2.3', '127.0.0.1', '::1', 'fd00::1']) await use(ip, key);
    await use('203.0.113.7', key);
    const detail = { network: '203.0.0.0/16', country: null };
    await expect.poll(() => alertsOf(key)).toEqual([{ kind: 'new_network', count: 1, detail }]);
    expect(await countriesOf(keyId)).toEqual(['BR', 'IN']);
  });
});

describe('a new country is no news', () => {
  it('while the key is new', async () => {
    const { live } = await abuse.account();
    await use('49.36.0.1', live.text);
    await expect.poll(() => countriesOf(live.row.id)).toEqual(['IN']);
    await use('177.1.2.3', live.text);
    await expect.poll(() => countriesOf(live.row.id)).toEqual(['BR', 'IN']);
    expect(await alertsOf(live.text)).toEqual([]);
  });

  it('where none was known, as after the upgrade that began to tell countries apart', async () => {
    const { keyId, key } = await abuse.keyInUse({ ...fromIndia, countries: [] });
    await use('177.1.2.3', key);
    const detail = { network: '177.1.0.0/16', country: 'BR' };
    await expect.poll(() => alertsOf(key)).toEqual([{ kind: 'new_network', count: 1, detail }]);
    expect(await countriesOf(keyId)).toEqual(['BR']);
  });

  it('to another key, of the same account or not', async () => {
    const [mine, other] = [
      await abuse.keyInUse(fromIndia),
      await abuse.keyInUse({ networks: ['189.1.0.0/16'], countries: ['BR'] }),
    ];
    await use('189.1.2.3', mine.key);
    await expect.poll(() => alertsOf(mine.key)).toMatchObject([{ kind: 'new_country' }]);
    expect(await alertsOf(other.key)).toEqual([]);
  });
});
