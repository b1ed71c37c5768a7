import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutMarks, foldText, normalise } from '../../../src/features/triggers/fold-text.ts';
import { MOST_TEXT, TextToMatch } from '../../../src/features/triggers/text-to-match.ts';

const FOLDINGS = [true, false].flatMap((accents) => [
  { case: true, accents },
  { case: false, accents },
]);

/** Marks of many kinds: of both ends of the canonical order, of none, two in one, halfwidth, with upper case. */
const MARKS =
  '\u0301\u0323\u0334\u0345\u0344\u034f\u20dd\u0f73\u0f81\uff9e\uff9f\u302e\u094d\u09be\u064b\u05b0';
const FILLERS = 'aİßΐǰが한\u200b\ufe0f \n\u00ad😀ﷺำ';
const nasty = fc
  .array(fc.tuple(fc.constantFrom(...`${MARKS}${FILLERS}`), fc.integer({ min: 1, max: 70 })), {
    maxLength: 60,
  })
  .map((runs) => runs.map(([letter, times]) => letter.repeat(times)).join(''));
const mixed = fc.string({ unit: fc.constantFrom(...MARKS, ...FILLERS), maxLength: 300 });

/** The longest run of marks once all letters are taken apart: what normalising sorts, in the square of its length. */
function longestRun(text: string): number {
  const runs = text.normalize('NFKD').match(/\p{M}+/gu) ?? [];
  return Math.max(0, ...runs.map((run) => [...run].length));
}

describe('a text with too many marks', () => {
  it.each(['\u0301\u0323', '\uff9e\u0334', '\u200b\u0301\u00ad\u0323', '\u0344\u0323'])(
    'keeps 30 of %j to a letter',
    (marks) => {
      const text = `a${marks.repeat(32_000)}`;
      expect(normalise(text).length).toBeLessThanOrEqual(31);
      for (const folding of FOLDINGS) expect(foldText(text, folding).length).toBeLessThanOrEqual(31);
      expect(new TextToMatch(`b${text}`).folded({ case: true, accents: true })).toMatch(/^ba/);
    },
  );

  it('has nothing left that is slow to sort, whatever it is made of', () => {
    fc.assert(
      fc.property(fc.oneof(nasty, mixed), (text) => {
        // No mark comes apart into more than three.
        expect(longestRun(cutMarks(text))).toBeLessThanOrEqual(93);
        expect(longestRun(normalise(text))).toBeLessThanOrEqual(93);
      }),
      { numRuns: 500 },
    );
  });

  it('counts every character that begins with a mark once it is taken apart', () => {
    const strays: string[] = [];
    for (let point = 1; point < 0x110000; point++) {
      const letter = String.fromCodePoint(point);
      if (/^\p{M}+$/u.test(letter.normalize('NFKD')) && cutMarks(letter.repeat(31)) === letter.repeat(31)) {
        // Those that are not seen at all are taken out before.
        if (normalise(letter) !== '') strays.push(point.toString(16));
      }
    }
    expect(strays).toEqual([]);
  });

  it('is folded for good', () => {
    fc.assert(
      fc.property(fc.oneof(nasty, mixed), fc.constantFrom(...FOLDINGS), (text, folding) => {
        const folded = foldText(text, folding);
        expect(foldText(folded, folding)).toBe(folded);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a text as people write it', () => {
  const written = fc.string({
    unit: fc.constantFrom(...'aeiñçøłİıÉжйωनमकी한がשָׁמّ 😀\n', 'e\u0301', 'a\u0323\u0302', 'y̸̢̛͔'),
    maxLength: 200,
  });

  it('loses nothing to the bounds', () => {
    fc.assert(
      fc.property(written, fc.constantFrom(...FOLDINGS), (text, folding) => {
        expect(cutMarks(text)).toBe(text);
        const read = new TextToMatch(text);
        expect(read.isWhole).toBe(true);
        expect(read.folded(folding)).toBe(foldText(text, folding));
      }),
    );
  });
});

describe('a long text', () => {
  it('is folded as its beginning is', () => {
    fc.assert(
      fc.property(fc.constantFrom(...FOLDINGS), fc.integer({ min: 0, max: 3 }), (folding, shift) => {
        const start = `${'x'.repeat(shift)}${'é😀'.repeat(MOST_TEXT)}`;
        const read = new TextToMatch(start);
        expect(read.isWhole).toBe(false);
        expect(read.folded(folding).length).toBeLessThanOrEqual(MOST_TEXT);
        expect(foldText(start, folding).startsWith(read.folded(folding))).toBe(true);
        expect(read.folded(folding)).not.toMatch(/\p{Surrogate}/u);
      }),
    );
  });

  it('is folded once for all triggers that fold alike', () => {
    const read = new TextToMatch('Crème');
    for (const folding of FOLDINGS) {
      expect(read.folded(folding)).toBe(foldText('Crème', folding));
      expect(read.normalised(folding)).toBe(folding.accents ? 'Creme' : 'Crème');
    }
  });
});
