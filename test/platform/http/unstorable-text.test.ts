import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unstorableText } from '../../../src/platform/http/unstorable-text.ts';

describe('text that cannot be stored', () => {
  it('is found wherever it stands, in the order of the input', () => {
    const input = {
      a: ['fine', { 'b/c': 'x\0' }],
      d: '\ud83d!',
      e: '😀',
      f: 1,
      g: null,
      h: Buffer.from('\0'),
    };
    expect(unstorableText(input, 'body')).toEqual([
      { pointer: '/a/1/b~1c', detail: 'must not hold a NUL character' },
      { pointer: '/d', detail: 'must not hold half of a surrogate pair' },
    ]);
    expect(unstorableText({ route: '\0' }, 'query')).toEqual([
      { pointer: '?route', detail: 'must not hold a NUL character' },
    ]);
    expect(unstorableText(undefined, 'body')).toEqual([]);
  });

  it('is found however deep', () => {
    let deep: unknown = '\0';
    for (let i = 0; i < 100_000; i++) deep = [deep];
    expect(unstorableText(deep, 'body')).toHaveLength(1);
  });

  it('is what UTF-8 cannot carry, and NUL', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.constantFrom('', '\0', '\ud800', '\udc00'),
        (text, bad) => {
          const input = `${text}${bad}`;
          const kept = Buffer.from(input).toString() === input && !input.includes('\0');
          expect(unstorableText(input, 'body')).toHaveLength(kept ? 0 : 1);
        },
      ),
    );
  });
});
