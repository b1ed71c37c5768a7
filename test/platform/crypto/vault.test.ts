import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newUuid } from '../../../src/lib/ids.ts';
import { createVault, KEY_BYTES, seal, unseal } from '../../../src/platform/crypto/vault.ts';

const bytes = fc.uint8Array({ maxLength: 300 });
const key = fc.uint8Array({ minLength: KEY_BYTES, maxLength: KEY_BYTES });

describe('sealing', () => {
  it('gives back what was sealed', () => {
    fc.assert(
      fc.property(key, bytes, fc.string(), (k, plain, purpose) => {
        expect(unseal(k, seal(k, plain, purpose), purpose)).toEqual(Buffer.from(plain));
      }),
    );
  });

  it('refuses another purpose', () => {
    fc.assert(
      fc.property(key, bytes, fc.string(), fc.string(), (k, plain, purpose, other) => {
        fc.pre(Buffer.from(purpose).compare(Buffer.from(other)) !== 0);
        expect(() => unseal(k, seal(k, plain, purpose), other)).toThrow();
      }),
    );
  });

  it('refuses another key', () => {
    fc.assert(
      fc.property(key, key, bytes, (k, other, plain) => {
        fc.pre(Buffer.from(k).compare(Buffer.from(other)) !== 0);
        expect(() => unseal(other, seal(k, plain, 'p'), 'p')).toThrow();
      }),
    );
  });

  it('refuses any changed byte', () => {
    fc.assert(
      fc.property(key, bytes, fc.nat(), fc.integer({ min: 1, max: 255 }), (k, plain, place, change) => {
        const sealed = seal(k, plain, 'p');
        const at = place % sealed.length;
        sealed[at] = (sealed[at] ?? 0) ^ change;
        expect(() => unseal(k, sealed, 'p')).toThrow();
      }),
    );
  });

  it('refuses what was cut short, however short', () => {
    const k = randomBytes(KEY_BYTES);
    const sealed = seal(k, Buffer.from('hello'), 'p');
    for (let length = 0; length < sealed.length; length++) {
      expect(() => unseal(k, sealed.subarray(0, length), 'p'), `${length} bytes`).toThrow();
    }
  });

  it('names a version that it does not know', () => {
    const k = randomBytes(KEY_BYTES);
    const sealed = seal(k, Buffer.from('hello'), 'p');
    sealed[0] = 2;
    expect(() => unseal(k, sealed, 'p')).toThrow('unknown seal version 2');
  });

  it('never gives the same bytes twice', () => {
    const k = randomBytes(KEY_BYTES);
    expect(seal(k, Buffer.from('hello'), 'p')).not.toEqual(seal(k, Buffer.from('hello'), 'p'));
  });
});

describe('a vault', () => {
  const account = newUuid();
  const other = newUuid();

  function vaultWith(wrapped: Map<string, Uint8Array>, masterKey = randomBytes(KEY_BYTES)) {
    let loads = 0;
    const vault = createVault({
      masterKey,
      loadWrappedKey: async (id) => {
        loads++;
        return wrapped.get(id);
      },
    });
    return { vault, masterKey, loads: () => loads };
  }

  it("seals under the account's own key, so that no account opens another's", async () => {
    const wrapped = new Map<string, Uint8Array>();
    const { vault } = vaultWith(wrapped);
    for (const id of [account, other]) wrapped.set(id, vault.newWrappedKey(id));
    const [mine, theirs] = [await vault.of(account), await vault.of(other)];
    const sealed = mine.seal(Buffer.from('hello'), 'p');
    expect(mine.open(sealed, 'p').toString()).toBe('hello');
    expect(() => theirs.open(sealed, 'p')).toThrow();
  });

  it('opens after a restart with the same master key, and not with another', async () => {
    const wrapped = new Map<string, Uint8Array>();
    const { vault, masterKey } = vaultWith(wrapped);
    wrapped.set(account, vault.newWrappedKey(account));
    const sealed = (await vault.of(account)).seal(Buffer.from('hello'), 'p');
    const restarted = vaultWith(wrapped, masterKey).vault;
    expect((await restarted.of(account)).open(sealed, 'p').toString()).toBe('hello');
    await expect(vaultWith(wrapped).vault.of(account)).rejects.toThrow();
  });

  it("does not take one account's wrapped key for another's", async () => {
    const wrapped = new Map<string, Uint8Array>();
    const { vault } = vaultWith(wrapped);
    wrapped.set(other, vault.newWrappedKey(account));
    await expect(vault.of(other)).rejects.toThrow();
  });

  it('loads a key once for many who ask, and asks again after a failure', async () => {
    const wrapped = new Map<string, Uint8Array>();
    const { vault, loads } = vaultWith(wrapped);
    await expect(vault.of(account)).rejects.toThrow('no data key');
    wrapped.set(account, vault.newWrappedKey(account));
    await Promise.all(Array.from({ length: 10 }, () => vault.of(account)));
    expect(loads()).toBe(2);
  });

  it('has nothing for an erased account', async () => {
    await expect(vaultWith(new Map()).vault.of(account)).rejects.toThrow('no data key');
  });

  it('refuses a master key of another length', () => {
    expect(() => vaultWith(new Map(), randomBytes(16))).toThrow('32 bytes');
  });
});
