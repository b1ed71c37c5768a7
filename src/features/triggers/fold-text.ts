/** Which differences between texts do not count. */
export interface Folding {
  case: boolean;
  accents: boolean;
}

/** What is written into texts without being seen: joiners, direction marks, soft hyphens, styles of emoji. */
const INVISIBLE = /[\p{Cf}\u{FE00}-\u{FE0F}]/gu;

/**
 * Marks that can be left out of a word: accents of Latin, Greek and Cyrillic, vowel points of Hebrew and Arabic. Not the
 * vowel signs of Indic scripts, without which words are other words.
 */
const ACCENTS = new RegExp(
  `[${[
    '\\u{300}-\\u{36f}\\u{1ab0}-\\u{1aff}\\u{1dc0}-\\u{1dff}\\u{20d0}-\\u{20ff}\\u{fe20}-\\u{fe2f}',
    '\\u{591}-\\u{5bd}\\u{5bf}\\u{5c1}\\u{5c2}\\u{5c4}\\u{5c5}\\u{5c7}',
    '\\u{64b}-\\u{65f}\\u{670}',
  ].join('')}]`,
  'gu',
);

/** Letters that people write without their stroke, and that Unicode does not take apart. */
const PLAIN: Record<string, string> = Object.fromEntries(
  'ø=o Ø=O ł=l Ł=L đ=d Đ=D ð=d Ð=D ħ=h Ħ=H ŧ=t Ŧ=T ı=i æ=ae Æ=AE œ=oe Œ=OE þ=th Þ=TH ß=ss ẞ=SS'
    .split(' ')
    .map((pair) => pair.split('=')),
);
const STROKED = new RegExp(`[${Object.keys(PLAIN).join('')}]`, 'g');

/**
 * More marks on one letter than any language writes. Normalising sorts the marks of a letter in a time that grows with the
 * square of their number: 64,000 of them take a second. Unicode's Stream-Safe Text Format draws the line at 30, too (UAX
 * #15). The two marks that are not `M` become such when normalised.
 */
const TOO_MANY_MARKS = /([\p{M}\u{FF9E}\u{FF9F}]{30})[\p{M}\u{FF9E}\u{FF9F}]+/gu;

export function withoutInvisible(text: string): string {
  return text.replace(INVISIBLE, '');
}

/** Leaves 30 marks to a letter. */
export function cutMarks(text: string): string {
  return text.replace(TOO_MANY_MARKS, '$1');
}

/**
 * One form for texts that look the same (Unicode NFKC), without invisible characters, with 30 marks to a letter at most,
 * trimmed. Lines stay.
 */
export function normalise(text: string): string {
  // Marks that are written as one may be two when normalised.
  return cutMarks(cutMarks(withoutInvisible(text)).normalize('NFKC')).trim();
}

/**
 * Upper and lower case as one, in every language at once: `ß` is `ss`, both Turkish i's are `i`, a final sigma is a
 * sigma. (JavaScript has no case folding; lower, upper and lower again comes to the same.)
 */
export function foldCase(text: string): string {
  return text
    .toLowerCase()
    .toUpperCase()
    .toLowerCase()
    .replaceAll('i\u0307', 'i')
    .replaceAll('ς', 'σ')
    .normalize('NFKC');
}

/** Letters without their accents. Case stays. */
export function foldAccents(text: string): string {
  return text
    .normalize('NFD')
    .replace(ACCENTS, '')
    .normalize('NFC')
    .replace(STROKED, (letter) => PLAIN[letter] ?? letter);
}

/** What two texts are compared by: equal where no difference counts. White space counts as one space, or none at the ends. */
export function foldText(text: string, folding: Folding): string {
  let folded = normalise(text);
  if (folding.case) folded = foldCase(folded);
  if (folding.accents) folded = foldAccents(folded);
  // Last, since an accent may stand alone between two spaces.
  return folded.replace(/\s+/gu, ' ').trim();
}
