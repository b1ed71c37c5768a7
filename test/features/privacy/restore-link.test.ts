import { describe, expect, it } from 'vitest';
import { createRestoreTokens } from '../../../src/features/privacy/restore-link.ts';

const CLOSURE = '018f3c2e-0000-7000-8000-000000000001';
const USER = '018f3c2e-0000-7000-8000-000000000002';
const TOKEN = 'clo_01hwy2w000e008000000000001.DXTlnVhIJ8IOen95tLfXtlqKlDASaqf-rg90H0lzlSA';
const masterKey = Uint8Array.from({ length: 32 }, (_, i) => i);

describe('the token that undoes a deletion', () => {
  const tokens = createRestoreTokens(masterKey);

  it('is read as an earlier release wrote it into mails', () => {
    expect(tokens.read(TOKEN)).toEqual({ closureId: CLOSURE, userId: undefined });
    expect(tokens.write({ closureId: CLOSURE, userId: undefined })).toBe(TOKEN);
  });

  it('says to whom it was mailed, which nobody can change', () => {
    const token = tokens.write({ closureId: CLOSURE, userId: USER });
    expect(tokens.read(token)).toEqual({ closureId: CLOSURE, userId: USER });
    const [closure, , signature] = token.split('.');
    expect(tokens.read(`${closure}.${signature}`)).toBeUndefined();
    expect(tokens.read(token.replace('0002.', '0003.'))).toBeUndefined();
  });

  it.each([
    ['nothing', ''],
    ['no signature', 'clo_01hwy2w000e008000000000001'],
    ['the id of another', TOKEN.replace('0001.', '0002.')],
    ['a signature cut short', TOKEN.slice(0, -4)],
  ])('is refused with %s', (_, token) => {
    expect(tokens.read(token)).toBeUndefined();
  });

  it('is refused under another master key', () => {
    expect(createRestoreTokens(masterKey.toReversed()).read(TOKEN)).toBeUndefined();
  });
});
