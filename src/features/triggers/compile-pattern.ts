import { RE2JS, RE2JSException } from 're2js';
import { cutText } from './cut-text.ts';
import { type Folding, foldAccents, withoutInvisible } from './fold-text.ts';
import { patternSize } from './pattern-size.ts';
import { MOST_TEXT, type TextToMatch } from './text-to-match.ts';

export type CompiledPattern =
  | { ok: true; test: (text: TextToMatch) => boolean }
  /** Why the engine does not take it, as a sentence without a full stop. */
  | { ok: false; reason: string };

const MOST_INSTRUCTIONS = 500;
/** Matching takes a step for each character and instruction, about 20 ns: no look takes much longer than ten milliseconds. */
const MOST_STEPS = 600_000;
/** Beyond, compiling would take longer than a look. The size is a guess, and may be too high. */
const MOST_ESTIMATED = 4 * MOST_INSTRUCTIONS;
const MOST_IN_CLASSES = 500_000;
/** The engine's own table of states grows with the texts; what does not fit is matched without, in the steps above. */
const STATES_BYTES = 65_536;

const TOO_LARGE = { ok: false, reason: 'is too large: use fewer or smaller repetitions' } as const;
const TOO_WIDE = { ok: false, reason: 'is too large: use fewer or smaller classes of characters' } as const;

/**
 * Compiles a regular expression in RE2's syntax (https://github.com/google/re2/wiki/Syntax), which has no look-around and
 * no back-references. It may match anywhere in the first 4,096 characters of a text; a large one, in as many as make
 * `MOST_STEPS`, which is 1,200 at least.
 */
export function compilePattern(pattern: string, folding: Folding): CompiledPattern {
  const likeTexts = normalisePattern(pattern);
  const folded = folding.accents ? foldAccents(likeTexts) : likeTexts;
  for (const { instructions, inClasses } of [pattern, folded].map(patternSize)) {
    if (instructions > MOST_ESTIMATED) return TOO_LARGE;
    if (inClasses > MOST_IN_CLASSES) return TOO_WIDE;
  }
  try {
    // As written first, so that the engine's words are about what the customer wrote.
    RE2JS.compile(pattern);
    const compiled = RE2JS.compile(folded, folding.case ? RE2JS.CASE_INSENSITIVE : 0);
    const size = compiled.programSize();
    return size > MOST_INSTRUCTIONS ? TOO_LARGE : { ok: true, test: testWithin(compiled, size, folding) };
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    return { ok: false, reason: error.message.replace(/^error parsing regexp: /, 'is no pattern: ') };
  }
}

function testWithin(compiled: RE2JS, size: number, folding: Folding): (text: TextToMatch) => boolean {
  const reach = Math.min(MOST_TEXT, Math.floor(MOST_STEPS / size));
  const { dfa } = compiled.re2();
  dfa.stateBudget = STATES_BYTES;
  dfa.memBudget = STATES_BYTES;
  return (text) => compiled.test(cutText(text.normalised(folding), reach));
}

/** As texts are normalised, with what that turns into signs of the syntax standing for itself. */
function normalisePattern(pattern: string): string {
  return withoutInvisible(pattern)
    .normalize('NFC')
    .replace(/[^\p{ASCII}]+/gu, (run) => run.normalize('NFKC').replace(/[!-/:-@[-`{-~]/g, '\\$&'));
}
