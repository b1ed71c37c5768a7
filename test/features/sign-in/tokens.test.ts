import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMagicLinks } from '../../../src/features/sign-in/magic-links.ts';
import { newUuid } from '../../../src/lib/ids.ts';
import { systemClock } from '../../../src/lib/system-clock.ts';
import { createLocalTokens, looksLikeToken } from '../../../src/platform/identity/local-tokens.ts';

const links = createMagicLinks({ key: randomBytes(32), clock: systemClock });
const tokens = createLocalTokens({ key: randomBytes(32), clock: systemClock });

describe('the token of a link', () => {
  it('reads as the address that it was written for, and never the same twice', () => {
    fc.assert(
      fc.property(fc.emailAddress(), (email) => {
        const token = links.write(email);
        expect(token).toMatch(/^[\w-]+$/);
        expect(links.read(token)?.email).toBe(email);
        expect(links.write(email)).not.toBe(token);
      }),
    );
  });

  it('is none of ours once any byte of it is another', () => {
    const bytes = Buffer.from(links.write('ada@example.com'), 'base64url');
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
        const bent = Buffer.from(bytes);
        bent[at] = (bent[at] ?? 0) ^ by;
        expect(links.read(bent.toString('base64url'))).toBeUndefined();
      }),
    );
  });

  it('is read whatever it is, without an error', () => {
    fc.assert(fc.property(fc.string({ maxLength: 2_000 }), (text) => links.read(text) === undefined));
  });

  it('means nothing to another installation', () => {
    const other = createMagicLinks({ key: randomBytes(32), clock: systemClock });
    expect(other.read(links.write('ada@example.com'))).toBeUndefined();
  });
});

describe('an access token', () => {
  it('reads as the user and sign-in that it was made for', async () => {
    const identity = { userId: newUuid(), signInId: newUuid() };
    const token = await tokens.sign(identity);
    expect(looksLikeToken(token)).toBe(true);
    expect(await tokens.verify(token)).toEqual(identity);
  });

  it('is none of ours once any character of its claims or signature is another', async () => {
    const token = await tokens.sign({ userId: newUuid(), signInId: newUuid() });
    const start = token.indexOf('.') + 1;
    // The last character of a base64url text may hold bits that do not count.
    const ends = [token.lastIndexOf('.') - 1, token.length - 1];
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: start, max: token.length - 1 }), async (at) => {
        fc.pre(!ends.includes(at));
        const bent = token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
        expect(await tokens.verify(bent)).toBeUndefined();
      }),
    );
  });

  it('is told from an API key by its form', () => {
    expect(looksLikeToken('pk_live_4fGh0q7Zk2Vn8bXw5RtYc1LmPs9DjUaE2xB7Qy')).toBe(false);
    fc.assert(
      fc.property(fc.stringMatching(/^pk_(test|live)_[0-9A-Za-z]{38}$/), (key) => !looksLikeToken(key)),
    );
  });
});
