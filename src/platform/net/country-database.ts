import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import ipaddr from 'ipaddr.js';
import { Reader } from 'mmdb-lib';
import { z } from 'zod';
import { addressKind } from './public-address.ts';

/**
 * The country that an IP address is in, as ISO 3166-1 alpha-2; `undefined` for private, reserved and malformed addresses
 * and for those that the database does not know. Never throws.
 */
export type CountryOf = (ip: string) => string | undefined;

/** Comes with the program. */
const PACKAGED = import.meta.resolve('@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb');

/** Long in the same hands, in four parts of the world: a database of countries that knows none of them is another kind. */
const PROBES = ['128.30.2.1', '131.111.8.1', '133.11.0.1', '8.8.8.8'];

/** `ZZ` says "unknown" in some databases. */
const code = z.string().regex(/^(?!ZZ)[A-Z]{2}$/);
/** What databases say of an address: MaxMind's and DB-IP's in the first shape, others flat. */
const place = z.union([
  z.object({ country: z.object({ iso_code: code }) }).transform(({ country }) => country.iso_code),
  z.object({ country_code: code }).transform(({ country_code }) => country_code),
]);

/**
 * Reads a database of countries into memory, once: 8 MB and about 25 milliseconds for the one that comes with the
 * program; a look-up takes some tens of microseconds.
 * @param file a database of countries or cities in MaxMind's format; default: the packaged one
 * @throws where it cannot be read, or holds no countries
 */
export async function openCountryDatabase(file = fileURLToPath(PACKAGED)): Promise<CountryOf> {
  const reader = await open(file);
  const countryOf: CountryOf = (ip) => {
    if (addressKind(ip) !== 'public') return undefined;
    const address = ipaddr.process(ip);
    // The reader would take the first bits for an IPv4 address.
    if (address.kind() === 'ipv6' && reader.metadata.ipVersion === 4) return undefined;
    return placeIn(reader, address.toString());
  };
  if (!PROBES.some((ip) => countryOf(ip) !== undefined)) {
    throw new Error(`${file} holds no countries of addresses`);
  }
  return countryOf;
}

async function open(file: string) {
  const bytes = await readFile(file);
  try {
    return new Reader(bytes);
  } catch (error) {
    throw new Error(`${file} is no database in MaxMind's format`, { cause: error });
  }
}

function placeIn(reader: { get: (ip: string) => unknown }, ip: string): string | undefined {
  try {
    return place.safeParse(reader.get(ip)).data;
  } catch {
    // A damaged record: nothing is known, and no request fails for it.
    return undefined;
  }
}
