import { describe, expect, it } from 'vitest';
import { type KeyUse, suspicionsOf } from '../../../src/features/abuse/key-uses.model.ts';

const key = { key_id: 'key', account_id: 'account', mode: 'live' as const };
const use = (address: string, network: string, country: string | null): KeyUse => ({
  ...{ keyId: 'key', address, network, country },
});
const newNetwork = (network: string) => ({ ...key, network });
const brazil = { ...key, country: 'BR', known_countries: ['IN'] };
const about = { accountId: 'account', mode: 'live', subject: 'key' };

describe('of uses of a key', () => {
  it('a new country is told once, whatever its networks', () => {
    const uses = [use('177.1.2.3', '177.1.0.0/16', 'BR'), use('189.1.2.3', '189.1.0.0/16', 'BR')];
    const networks = [newNetwork('177.1.0.0/16'), newNetwork('189.1.0.0/16')];
    expect(suspicionsOf(uses, { networks, countries: [brazil] })).toEqual([
      {
        ...{ kind: 'new_country', ...about },
        detail: { address: '177.1.2.3', country: 'BR', known_countries: ['IN'] },
      },
    ]);
  });

  it('a new network is told beside it where another country is in it, too', () => {
    const uses = [use('177.1.2.3', '177.1.0.0/16', 'BR'), use('177.1.9.9', '177.1.0.0/16', 'IN')];
    const found = suspicionsOf(uses, { networks: [newNetwork('177.1.0.0/16')], countries: [brazil] });
    expect(found).toMatchObject([
      { kind: 'new_country' },
      { kind: 'new_network', detail: { network: '177.1.0.0/16', country: 'IN' } },
    ]);
  });

  it('a new network is told without a country where none is known', () => {
    const uses = [use('203.0.113.7', '203.0.0.0/16', null)];
    expect(suspicionsOf(uses, { networks: [newNetwork('203.0.0.0/16')], countries: [] })).toEqual([
      { kind: 'new_network', ...about, detail: { network: '203.0.0.0/16', country: null } },
    ]);
  });

  it('what is known, and what is news of another key, is not told', () => {
    const uses = [use('177.1.2.3', '177.1.0.0/16', 'BR')];
    const others = { ...brazil, key_id: 'other' };
    const network = { ...newNetwork('177.1.0.0/16'), key_id: 'other' };
    expect(suspicionsOf(uses, { networks: [network], countries: [others] })).toEqual([]);
  });
});
