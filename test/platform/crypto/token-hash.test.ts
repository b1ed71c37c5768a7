import { describe, expect, it } from 'vitest';
import { hashToken } from '../../../src/platform/crypto/token-hash.ts';

describe('the hash of a token', () => {
  it('is its SHA-256, of a text as of its bytes, so that what is stored is found', () => {
    const expected = '68058155f53934eee466ec4c4639c9c9665ff6866ef51176e40921a14d302ced';
    expect(hashToken('rt_token').toString('hex')).toBe(expected);
    expect(hashToken(Buffer.from('rt_token')).toString('hex')).toBe(expected);
  });
});
