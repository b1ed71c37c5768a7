import { describe, expect, it } from 'vitest';
import { deriveKey } from '../../../src/platform/crypto/derived-key.ts';

const masterKey = Uint8Array.from({ length: 32 }, (_, i) => i);

describe('a derived key', () => {
  // By the definition in RFC 5869, with a salt of zeros, under another implementation of HMAC.
  it.each([
    ['pingr mail', '091d579cb7da255ba3de4becd4c4f14e11c884fc93d2df7061fe0f2d34541613'],
    ['pingr/restore-account', '6928bb5a28ab005ca287503afe46cc484968bbe212d9838ac0f89d64c40fa6f7'],
    ['pingr signed links to files', 'efd78876a793fa5afe14404301e6db0cf10ee035148caf52234c26debab35eb0'],
    ['pingr sign-in tokens', '1c84fcb551c0a8cdacd2d65bd053d88c00a9f8e0a9a89bc572bcf4a1e2e83e72'],
    ['pingr sign-in links', 'ca39642f6cfb693ff87e7a783d85c786e8b23d6ec88a2a8fad1932944b34e07e'],
  ])('for "%s" is the same for ever', (purpose, expected) => {
    expect(deriveKey(masterKey, purpose).toString('hex')).toBe(expected);
  });

  it('differs with the master key', () => {
    expect(deriveKey(masterKey.toReversed(), 'pingr mail')).not.toEqual(deriveKey(masterKey, 'pingr mail'));
  });
});
