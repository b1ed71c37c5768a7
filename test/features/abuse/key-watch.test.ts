import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Suspicion } from '../../../src/features/abuse/abuse.model.ts';
import { KeyWatch } from '../../../src/features/abuse/key-watch.ts';
import type { Database } from '../../../src/platform/db/database.ts';
import { silentLog } from '../../support/log.ts';
import { movableClock } from '../api-keys/open-api.ts';
import { type Abuse, openAbuse } from './open-abuse.ts';

let abuse: Abuse;
beforeAll(async () => {
  abuse = await openAbuse();
});
afterAll(() => abuse.close());

const OTHER_COUNTRY = '177.1.2.3';

/** A watch of one key, which has been used in India for two days. */
async function openWatch({ system, raise }: Partial<Parts> = {}) {
  const { accountId, keyId } = await abuse.keyInUse({ networks: ['49.36.0.0/16'], countries: ['IN'] });
  const raised: Suspicion[] = [];
  const asked: string[] = [];
  const watch = new KeyWatch({
    database: { system: system ?? abuse.db.database.system },
    countryOf: (ip) => {
      asked.push(ip);
      return ip === OTHER_COUNTRY ? 'BR' : 'IN';
    },
    clock: movableClock(),
    log: silentLog,
    raise: async (suspicions) => {
      await raise?.(suspicions);
      raised.push(...suspicions);
    },
  });
  const admit = watch.watched(async () => ({
    ...{ accountId, mode: 'live' as const, scopes: new Set<string>(), logFields: {} },
    actor: { type: 'api_key', id: keyId },
  }));
  return { watch, raised, asked, admit: (ip: string) => admit('key', ip) };
}

interface Parts {
  system: Database['system'];
  raise: (suspicions: readonly Suspicion[]) => Promise<void>;
}

describe('the watch of keys', () => {
  it('writes what is pending when it closes', async () => {
    const { watch, raised, admit } = await openWatch();
    await admit(OTHER_COUNTRY);
    await watch.close();
    expect(raised).toMatchObject([{ kind: 'new_country' }]);
  });

  it('notes a use when the database is back, and raises its alert', async () => {
    let failures = 0;
    const { watch, raised, admit } = await openWatch({
      system: (work) => {
        if (failures++ < 2) return Promise.reject(new Error('away'));
        return abuse.db.database.system(work);
      },
    });
    await admit(OTHER_COUNTRY);
    await expect.poll(() => raised).toMatchObject([{ kind: 'new_country' }]);
    await watch.close();
    expect(raised).toHaveLength(1);
  });

  it('raises an alert later that could not be raised, which holds up no other', async () => {
    const tried: string[] = [];
    const { watch, raised, admit } = await openWatch({
      raise: async (suspicions) => {
        tried.push(...suspicions.map(({ kind }) => kind));
        if (tried.length === 1) throw new Error('away');
      },
    });
    await Promise.all([admit(OTHER_COUNTRY), admit('103.21.58.1')]);
    await expect
      .poll(() => raised.map(({ kind }) => kind).toSorted())
      .toEqual(['new_country', 'new_network']);
    expect(tried).toHaveLength(3);
    expect(tried[2]).toBe(tried[0]);
    await watch.close();
  });

  it('writes one batch after the other, however long one takes', async () => {
    let [running, most, writes] = [0, 0, 0];
    let goOn = () => {};
    const held = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const { watch, raised, admit } = await openWatch({
      system: async (work) => {
        most = Math.max(most, ++running);
        if (++writes === 1) await held;
        return abuse.db.database.system(work).finally(() => running--);
      },
    });
    await admit('49.36.0.1');
    await expect.poll(() => writes).toBe(1);
    await admit(OTHER_COUNTRY);
    await new Promise((resolve) => setTimeout(resolve, 1_300));
    const closed = watch.close();
    goOn();
    await closed;
    expect(most).toBe(1);
    expect(raised).toMatchObject([{ kind: 'new_country' }]);
  });

  it('asks for the country of an address once, not at every request', async () => {
    const { watch, asked, raised, admit } = await openWatch();
    for (let i = 0; i < 50; i++) await admit('49.36.0.1');
    await watch.close();
    expect(asked).toEqual(['49.36.0.1']);
    expect(raised).toEqual([]);
  });
});
