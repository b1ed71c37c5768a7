import fc from 'fast-check';
import { RE2JS, RE2JSException } from 're2js';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type CompiledPattern, compilePattern } from '../../../src/features/triggers/compile-pattern.ts';
import { patternSize } from '../../../src/features/triggers/pattern-size.ts';
import { TextToMatch } from '../../../src/features/triggers/text-to-match.ts';

const BOTH = { case: true, accents: true };
const REPETITIONS = 'is too large: use fewer or smaller repetitions';
const CLASSES = 'is too large: use fewer or smaller classes of characters';
afterEach(() => vi.restoreAllMocks());

function taken(compiled: CompiledPattern) {
  if (!compiled.ok) throw new Error(compiled.reason);
  return (text: string) => compiled.test(new TextToMatch(text));
}

/** Patterns of all that the syntax has, one in another. */
const { pattern } = fc.letrec<{ pattern: string; part: string; atom: string }>((tie) => ({
  atom: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(
      ...'ak.^😀',
      'é',
      '\\d',
      '\\pL',
      '[a-c]',
      '[^x]',
      '\\b',
      '\\(',
      '(?:)',
      '[]a]',
      '\\x{e9}',
    ),
    fc.constantFrom(
      '\\Qa+b\\E',
      '[[:alpha:]_]',
      '[\\]()]',
      '(?i)',
      '\\p{Greek}',
      '()',
      '\\Q\\E',
      '\\E',
      '(?s-i)',
    ),
    tie('pattern').map((inner) => `(?:${inner})`),
    tie('pattern').map((inner) => `(?P<name>${inner})`),
  ),
  part: fc
    .tuple(
      tie('atom'),
      fc.constantFrom('', '', '*', '+', '??', '{3}', '{2,}', '{0,4}', '{2,5}?', '{1,}', '{0}'),
    )
    .map((both) => both.join('')),
  pattern: fc.oneof(
    fc.array(tie('part'), { maxLength: 5 }).map((parts) => parts.join('')),
    fc.array(tie('part'), { maxLength: 3 }).map((parts) => parts.join('|')),
  ),
}));

describe('the size of a pattern', () => {
  it('is told before it is compiled, and is never too small', () => {
    fc.assert(
      fc.property(pattern, (text) => {
        let size = 0;
        try {
          size = RE2JS.compile(text).programSize();
        } catch (error) {
          expect(error).toBeInstanceOf(RE2JSException);
        }
        expect(patternSize(text).instructions).toBeGreaterThanOrEqual(size);
      }),
      { numRuns: 500 },
    );
  });

  it('is measured of any text, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'()[]{}|\\^-:?*+,19aQEpxPi<>'), maxLength: 60 }),
        (text) => {
          const { instructions, inClasses } = patternSize(text);
          expect(instructions).toBeGreaterThan(0);
          expect(inClasses).toBeGreaterThanOrEqual(0);
        },
      ),
    );
  });

  it.each([
    ['repetitions of nothing', '(a?){1000}'.repeat(50), REPETITIONS],
    ['repetitions of repetitions', '(?:(?:(?:a{9}){9}){9}){9}', REPETITIONS],
    ['repetitions of repetitions with nothing between', 'a{9}(?i){9}\\Q\\E{9}(?-s){9}', REPETITIONS],
    ['classes that are most of Unicode', '[\\x{100}-\\x{10ffff}]'.repeat(20), CLASSES],
    ['a class of many such ranges', `[${'Ā-𯿿'.repeat(100)}]`, CLASSES],
    ['classes by name', '\\p{L}'.repeat(101), CLASSES],
  ])('is what %s are refused by, uncompiled', (_name, text, reason) => {
    const compile = vi.spyOn(RE2JS, 'compile');
    expect(compilePattern(text, BOTH)).toEqual({ ok: false, reason });
    expect(compile).not.toHaveBeenCalled();
  });

  it.each([
    '^(?:order|commande|pedido|bestellung)\\s*(?:no|nr|n°|#)?\\.?\\s*([a-z]{2}\\d{4,10})$',
    '\\b(?:\\d{3}[ .-]?){3}\\d{1,4}\\b',
    '[\\p{L}\\p{N}._%+-]+@(?:[\\p{L}\\p{N}-]{1,63}\\.){1,3}\\p{L}{2,20}',
    Array.from({ length: 60 }, (_, n) => `phrase${n}`)
      .join('|')
      .slice(0, 500),
    '[\\x{1f300}-\\x{1faff}\\x{2600}-\\x{27bf}]{2,}',
    '(?:[\u4e00-\u9fff]|[\uac00-\ud7a3]|[^\\x00-\\x7f])+',
  ])('does not keep out %s', (text) => {
    expect(compilePattern(text, BOTH)).toMatchObject({ ok: true });
  });
});

describe('a look of a large pattern', () => {
  it('goes as far as its steps reach, and of a small one as far as any', () => {
    const filled = (length: number, end: string) => `${'x'.repeat(length)}${end}`;
    const large = taken(compilePattern(`[ab]{480}|z1`, BOTH));
    expect(large(filled(1_190, 'z1'))).toBe(true);
    expect(large(filled(1_300, 'z1'))).toBe(false);
    const small = taken(compilePattern(`[ab]{130}|z1`, BOTH));
    expect(small(filled(4_094, 'z1'))).toBe(true);
  });

  it('leaves little behind, however many texts there are', () => {
    const compile = vi.spyOn(RE2JS, 'compile');
    const matches = taken(compilePattern('[ab]*a[ab]{480}c1', BOTH));
    const [engine] = compile.mock.results
      .flatMap(({ value }) => (value instanceof RE2JS ? [value] : []))
      .slice(-1);
    // The engine's states go by the last 480 letters: every text makes new ones.
    const text = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1_000, maxLength: 1_100 });
    for (const letters of fc.sample(text, 20)) matches(`c1 ${letters}`);
    expect(engine?.re2().dfa.stateCount).toBeLessThan(450);
  });
});
