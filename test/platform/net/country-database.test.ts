import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CountryOf, openCountryDatabase } from '../../../src/platform/net/country-database.ts';
import { countryFile } from './country-file.ts';

let countryOf: CountryOf;
let directory: string;
beforeAll(async () => {
  countryOf = await openCountryDatabase();
  directory = await mkdtemp(path.join(tmpdir(), 'pingr-countries-'));
});
afterAll(() => rm(directory, { recursive: true }));

async function fileOf(bytes: Buffer): Promise<string> {
  const file = path.join(directory, 'countries.mmdb');
  await writeFile(file, bytes);
  return file;
}

describe('the country of an address', () => {
  it.each([
    ['8.8.8.8', 'US'],
    ['::ffff:8.8.8.8', 'US'],
    ['49.36.0.1', 'IN'],
    ['117.192.1.1', 'IN'],
    ['2405:201::1', 'IN'],
    ['2409:4000:0:1::9', 'IN'],
    ['81.2.69.142', 'GB'],
    ['133.11.0.1', 'JP'],
    ['200.160.2.3', 'BR'],
    ['2001:4860:4860::8888', 'US'],
    ['2003::1', 'DE'],
    ['2003::1%eth0', 'DE'],
  ])('%s is in %s', (ip, country) => {
    expect(countryOf(ip)).toBe(country);
  });

  it.each([
    ...['10.1.2.3', '172.16.0.1', '192.168.1.1', '127.0.0.1', '169.254.1.1', '100.64.0.1', '0.0.0.0'],
    ...['203.0.113.7', '224.0.0.1', '255.255.255.255', '::', '::1', 'fd00::1', 'fe80::1', '2001:db8::1'],
    ...['::ffff:10.1.2.3', '::8.8.8.8', '64:ff9b::808:808', '2002:808:808::1'],
    ...[
      '',
      'nonsense',
      '8.8',
      '8.8.8',
      '8.8.8.8.8',
      '8.8.8.256',
      '8.8.8.8/8',
      ' 8.8.8.8',
      '2003::g',
      '2003:::1',
    ],
  ])('is not known of %j', (ip) => {
    expect(countryOf(ip)).toBeUndefined();
  });

  it('is two letters or nothing, of whatever text', () => {
    const texts = fc.oneof(fc.string(), fc.ipV4(), fc.ipV6());
    fc.assert(fc.property(texts, (ip) => /^([A-Z]{2}|undefined)$/.test(String(countryOf(ip)))));
  });
});

describe('a database of one’s own', () => {
  it.each([
    ['as MaxMind and DB-IP spell it', { country: { iso_code: 'FR', names: { en: 'France' } } }, 'FR'],
    ['flat', { country_code: 'FR' }, 'FR'],
    ['beside other things', { continent: { code: 'EU' }, country: { iso_code: 'FR' }, city: {} }, 'FR'],
  ])('is read %s', async (_, record, country) => {
    const own = await openCountryDatabase(await fileOf(countryFile(record)));
    expect(own('81.2.69.142')).toBe(country);
    expect(own('2003::1')).toBe(country);
    expect(own('10.1.2.3')).toBeUndefined();
  });

  it.each([
    ['says that it does not know', { country_code: 'ZZ' }],
    ['holds other things', { autonomous_system_number: 64_500 }],
    ['spells countries otherwise', { country_code: 'FRA' }],
  ])('is refused that %s', async (_, record) => {
    await expect(openCountryDatabase(await fileOf(countryFile(record)))).rejects.toThrow(
      'countries.mmdb holds no countries',
    );
  });

  it('of IPv4 alone says nothing of IPv6', async () => {
    const packaged = '@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country-ipv4.mmdb';
    const own = await openCountryDatabase(fileURLToPath(import.meta.resolve(packaged)));
    expect(own('::ffff:8.8.8.8')).toBe('US');
    expect(own('2001:4860:4860::8888')).toBeUndefined();
  });

  it('is refused that is missing, empty, cut off or something else', async () => {
    await expect(openCountryDatabase(path.join(directory, 'none.mmdb'))).rejects.toThrow(
      /ENOENT.*none\.mmdb/,
    );
    const whole = countryFile({ country_code: 'FR' });
    for (const bytes of [Buffer.alloc(0), Buffer.from('country,network\n'), whole.subarray(0, -40)]) {
      await expect(openCountryDatabase(await fileOf(bytes))).rejects.toThrow(
        "no database in MaxMind's format",
      );
    }
  });

  it('whose records are damaged says nothing, and throws at nobody', async () => {
    const bytes = countryFile({ country_code: 'FR' });
    bytes.fill(0xff, 22, 30);
    await expect(openCountryDatabase(await fileOf(bytes))).rejects.toThrow('holds no countries');
  });
});
