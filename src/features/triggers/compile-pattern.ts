import { RE2JS, RE2JSException } from 're2js';
import { type Folding, foldAccents, normalise, withoutInvisible } from './fold-text.ts';

export type CompiledPattern =
  | { ok: true; test: (text: string) => boolean }
  /** Why the engine does not take it, as a sentence without a full stop. */
  | { ok: false; reason: string };

/**
 * Matching takes time in proportion to the text and to the pattern's instructions, whatever both are: no pattern can go
 * on for ever, and with these bounds none for longer than some hundredths of a second.
 */
const MOST_INSTRUCTIONS = 500;
const MOST_TEXT = 4_096;

/**
 * Compiles a regular expression in RE2's syntax (https://github.com/google/re2/wiki/Syntax), which has no look-around and
 * no back-references. It may match anywhere in the first 4,096 characters of a text.
 */
export function compilePattern(pattern: string, folding: Folding): CompiledPattern {
  try {
    // As written first, so that the engine's words are about what the customer wrote.
    RE2JS.compile(pattern);
    const likeTexts = normalisePattern(pattern);
    const folded = folding.accents ? foldAccents(likeTexts) : likeTexts;
    const compiled = RE2JS.compile(folded, folding.case ? RE2JS.CASE_INSENSITIVE : 0);
    if (compiled.programSize() > MOST_INSTRUCTIONS) {
      return { ok: false, reason: 'is too large: use fewer or smaller repetitions' };
    }
    return { ok: true, test: (text) => compiled.test(toTest(text, folding)) };
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    return { ok: false, reason: error.message.replace(/^error parsing regexp: /, 'is no pattern: ') };
  }
}

/** As texts are normalised, with what that turns into signs of the syntax standing for itself. */
function normalisePattern(pattern: string): string {
  return withoutInvisible(pattern)
    .normalize('NFC')
    .replace(/[^\p{ASCII}]+/gu, (run) => run.normalize('NFKC').replace(/[!-/:-@[-`{-~]/g, '\\$&'));
}

function toTest(text: string, folding: Folding): string {
  const start = normalise(text.slice(0, MOST_TEXT));
  return (folding.accents ? foldAccents(start) : start).slice(0, MOST_TEXT);
}
