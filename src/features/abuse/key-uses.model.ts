import type { Mode } from '../../lib/mode.ts';
import type { Suspicion } from './abuse.model.ts';

/** Where a key was used from. */
export interface KeyUse {
  keyId: string;
  address: string;
  /** The address's wider network, in CIDR form. */
  network: string;
  /** ISO 3166-1 alpha-2; null where it is not known. */
  country: string | null;
}

interface News {
  key_id: string;
  account_id: string;
  mode: Mode;
}

/** A network from which a key in use for a day had never been used. */
export interface NewNetwork extends News {
  network: string;
}

/** A country in which a key whose countries have been known for a day had never been used. */
export interface NewCountry extends News {
  country: string;
  known_countries: string[];
}

/** What is suspicious about uses: a new country; or else, since every country has networks of its own, a new network. */
export function suspicionsOf(
  uses: readonly KeyUse[],
  news: { networks: readonly NewNetwork[]; countries: readonly NewCountry[] },
): Suspicion[] {
  const networks = new Map(news.networks.map((found) => [`${found.key_id} ${found.network}`, found]));
  const countries = new Map(news.countries.map((found) => [`${found.key_id} ${found.country}`, found]));
  const suspicions = new Map<string, Suspicion>();
  for (const { keyId, address, network, country } of uses) {
    const inCountry = countries.get(`${keyId} ${country}`);
    const found = inCountry ?? networks.get(`${keyId} ${network}`);
    const name = `${keyId} ${inCountry?.country ?? network}`;
    if (found === undefined || suspicions.has(name)) continue;
    const about = { accountId: found.account_id, mode: found.mode, subject: keyId };
    suspicions.set(
      name,
      inCountry === undefined
        ? { kind: 'new_network', ...about, detail: { network, country } }
        : {
            kind: 'new_country',
            ...about,
            detail: { address, country, known_countries: inCountry.known_countries },
          },
    );
  }
  return [...suspicions.values()];
}
