import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foldAccents, foldText } from '../../../src/features/triggers/fold-text.ts';
import { createMatcher, type Match, type MatchRule } from '../../../src/features/triggers/match-text.ts';
import { MOST_TEXT, TextToMatch } from '../../../src/features/triggers/text-to-match.ts';

const BOTH = { case: true, accents: true };
const FOLDINGS = [BOTH, { case: true, accents: false }, { case: false, accents: true }];

function matches(match: Match, pattern: string | null, text: string | null, more: Partial<MatchRule> = {}) {
  const matcher = createMatcher({ match, pattern, fold_case: true, fold_accents: true, ...more });
  if (!matcher.ok) throw new Error(matcher.reason);
  return matcher.matches(text === null ? null : new TextToMatch(text));
}

function refusal(match: Match, pattern: string | null): string | undefined {
  const matcher = createMatcher({ match, pattern, fold_case: true, fold_accents: true });
  return matcher.ok ? undefined : matcher.reason;
}

/** Words as people write them, in several scripts. */
const word = fc
  .array(
    fc.constantFrom(...'aeiouñçßøæłİıIiÉéЖжйёΣσςωनमकीअب한글かが😀'.split(/(?:)/u), 'e\u0301', 'ﬁ', 'Ａ'),
    {
      maxLength: 12,
    },
  )
  .map((letters) => letters.join(''));

describe('folding', () => {
  it.each([
    ['LOGIN', 'login'],
    ['  lo\u200dgin \n', 'login'],
    ['log\u00a0 \t in', 'log in'],
    ['ＬＯＧＩＮ', 'login'],
    ['İSTANBUL', 'istanbul'],
    ['ISPARTA', 'ısparta'],
    ['STRASSE', 'straße'],
    ['STRAẞE', 'straße'],
    ['Café', 'cafe\u0301'],
    ['ÇA VA', 'ca va'],
    ['Łódź', 'lodz'],
    ['ΟΔΟΣ', 'οδός'],
    ['ЁЛКА', 'елка'],
    ['أَهْلًا', 'اهلا'],
    ['❤️', '❤'],
    ['\u200fشكرا', 'شكرا'],
  ])('takes %j and %j for the same', (one, other) => {
    expect(foldText(one, BOTH)).toBe(foldText(other, BOTH));
  });

  it.each([
    ['की', 'क'],
    ['が', 'が'.normalize('NFD').slice(0, 1)],
    ['한', '하'],
    ['login', 'log in'],
    ['', 'a'],
  ])('keeps %j and %j apart', (one, other) => {
    expect(foldText(one, BOTH)).not.toBe(foldText(other, BOTH));
  });

  it('keeps what it is not asked to fold', () => {
    expect(foldText('Ça', { case: false, accents: false })).toBe('Ça');
    expect(foldText('Ça', { case: true, accents: false })).toBe('ça');
    expect(foldText('Ça', { case: false, accents: true })).toBe('Ca');
  });

  it('of any one character is folded for good, and the same for its upper and lower case', () => {
    const strays: string[] = [];
    for (let point = 1; point < 0x30000; point++) {
      const letter = String.fromCodePoint(point);
      for (const folding of FOLDINGS) {
        const folded = foldText(letter, folding);
        const others = [folded, ...(folding.case ? [letter.toUpperCase(), letter.toLowerCase()] : [])];
        if (others.some((other) => foldText(other, folding) !== folded)) strays.push(point.toString(16));
      }
    }
    expect(strays).toEqual([]);
  });

  it('changes nothing the second time, and does not care about composition', () => {
    fc.assert(
      fc.property(word, fc.constantFrom(...FOLDINGS), (text, folding) => {
        const folded = foldText(text, folding);
        expect(foldText(folded, folding)).toBe(folded);
        expect(foldText(text.normalize('NFD'), folding)).toBe(folded);
        expect(foldText(`\u200b ${text}\n`, folding)).toBe(folded);
      }),
    );
  });

  it('leaves a pattern of ASCII alone', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii' }), (text) => {
        expect(foldAccents(text)).toBe(text);
      }),
    );
  });
});

describe('matching', () => {
  it('compares the whole, the beginning, or any part', () => {
    expect(matches('exact', 'Login', ' LOGIN ')).toBe(true);
    expect(matches('exact', 'login', 'login please')).toBe(false);
    expect(matches('starts_with', 'login', 'Login please')).toBe(true);
    expect(matches('starts_with', 'login', 'please login')).toBe(false);
    expect(matches('contains', 'login', 'please LOGIN now')).toBe(true);
    expect(matches('contains', 'login', 'log in')).toBe(false);
  });

  it('takes every message for `any`, and no other for one without text', () => {
    expect(matches('any', null, null)).toBe(true);
    expect(matches('any', null, 'x')).toBe(true);
    for (const match of ['exact', 'starts_with', 'contains', 'regex'] as const)
      expect(matches(match, '.', null)).toBe(false);
  });

  it('minds case and accents where it is told to', () => {
    expect(matches('exact', 'Login', 'login', { fold_case: false })).toBe(false);
    expect(matches('exact', 'café', 'cafe', { fold_accents: false })).toBe(false);
    expect(matches('exact', 'café', 'CAFE')).toBe(true);
  });

  it('is implied from the narrow to the wide, for any words', () => {
    fc.assert(
      fc.property(word, word, word, (before, pattern, after) => {
        fc.pre(foldText(pattern, BOTH) !== '');
        expect(matches('exact', pattern, pattern)).toBe(true);
        const spaced = `${before} ${pattern} ${after}`;
        expect(matches('contains', pattern, spaced)).toBe(true);
        if (matches('exact', pattern, after)) expect(matches('starts_with', pattern, after)).toBe(true);
        if (matches('starts_with', pattern, after)) expect(matches('contains', pattern, after)).toBe(true);
      }),
    );
  });

  it('looks at the first 4,096 characters, and for the whole at no more than so many', () => {
    const filled = (length: number) => 'x'.repeat(length);
    expect(matches('contains', 'login', `${filled(MOST_TEXT - 5)}login`)).toBe(true);
    expect(matches('contains', 'login', `${filled(MOST_TEXT - 4)}login`)).toBe(false);
    expect(matches('starts_with', 'login', `login${filled(65_000)}`)).toBe(true);
    expect(matches('regex', 'login', `${filled(MOST_TEXT - 4)}login`)).toBe(false);
    expect(matches('exact', 'login', `login${' '.repeat(MOST_TEXT - 5)}`)).toBe(true);
    expect(matches('exact', 'login', `login${' '.repeat(MOST_TEXT - 4)}`)).toBe(false);
    expect(matches('contains', '\u{fffd}', `${filled(MOST_TEXT - 1)}😀`)).toBe(false);
  });

  it('refuses patterns that look for nothing', () => {
    expect(refusal('contains', '\u0301')).toBe('has nothing to look for');
    expect(refusal('exact', ' \u200b ')).toBe('has nothing to look for');
    expect(refusal('exact', null)).toBe('is required');
    expect(refusal('any', null)).toBeUndefined();
  });
});

describe('regular expressions', () => {
  it.each([
    ['^login (\\d{4})$', 'LOGIN 1234', true],
    ['^login (\\d{4})$', 'login 12345', false],
    ['commande n°\\d+', 'ma COMMANDE n°12', true],
    ['CRÈME|sucre', 'une creme', true],
    ['straße', 'STRASSE', true],
    ['[…）]$', 'wait…', true],
    ['（ok）', '(OK)', true],
    ['^(?s:.*)fin$', 'début\nfin', true],
    ['\\Wok\\W', 'is it ok?', true],
  ])('%s on %j: %s', (pattern, text, expected) => {
    expect(matches('regex', pattern, text)).toBe(expected);
  });

  it('tells why it does not take a pattern, in the engine’s words', () => {
    expect(refusal('regex', '(login')).toBe('is no pattern: missing closing ): `(login`');
    expect(refusal('regex', 'a(?=b)')).toBe('is no pattern: invalid or unsupported Perl syntax: `(?=`');
    expect(refusal('regex', '(a)\\1')).toMatch(/invalid escape sequence/);
    expect(refusal('regex', '[\\p{L}]{1,900}')).toMatch(/^is too large/);
    expect(refusal('regex', 'a{1001}')).toMatch(/invalid repeat count/);
  });

  it.each([
    ['(a*)*b', 'a'],
    ['(x+x+)+y', 'x'],
    ['(a|aa)+$', 'a'],
    ['(.*.*.*.*=.*){5}', '='],
    ['(?:(?:\\pL{1,20}){1,10}z)', 'ж'],
    ['^(([a-z])+.)+[A-Z]([a-z])+$', 'a'],
  ])('answers %s at once, whatever it is given', (pattern, letter) => {
    // A regular expression that tries every way would never end.
    for (const length of [10, 4_096, 65_536]) matches('regex', pattern, `${letter.repeat(length)}!`);
  });

  it('never throws, for any pattern and any text', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 30 }), fc.string({ unit: 'binary' }), (pattern, text) => {
        const rule = { match: 'regex', pattern, fold_case: true, fold_accents: true } as const;
        const matcher = createMatcher(rule);
        if (matcher.ok) expect(typeof matcher.matches(new TextToMatch(text))).toBe('boolean');
        else expect(matcher.reason).toMatch(/^is /);
      }),
    );
  });
});
