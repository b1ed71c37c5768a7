import { compilePattern } from './compile-pattern.ts';
import { type Folding, foldText } from './fold-text.ts';
import type { TextToMatch } from './text-to-match.ts';

export const MATCHES = ['exact', 'starts_with', 'contains', 'regex', 'any'] as const;
export type Match = (typeof MATCHES)[number];

/** Which texts a trigger is for. */
export interface MatchRule {
  match: Match;
  /** Null for `any` alone. */
  pattern: string | null;
  fold_case: boolean;
  fold_accents: boolean;
}

export type Matcher =
  /** @param text null for a message that has none, which only `any` matches */
  | { ok: true; matches: (text: TextToMatch | null) => boolean }
  /** Why there can be no such trigger, said of its pattern. */
  | { ok: false; reason: string };

/** Makes the test for a rule, to be used for many texts. */
export function createMatcher({ match, pattern, fold_case, fold_accents }: MatchRule): Matcher {
  const folding = { case: fold_case, accents: fold_accents };
  if (match === 'any') return { ok: true, matches: () => true };
  if (pattern === null) return { ok: false, reason: 'is required' };
  if (match === 'regex') {
    const compiled = compilePattern(pattern, folding);
    return compiled.ok
      ? { ok: true, matches: (text) => text !== null && compiled.test(text) }
      : { ok: false, reason: compiled.reason };
  }
  const wanted = foldText(pattern, folding);
  if (wanted === '') return { ok: false, reason: 'has nothing to look for' };
  return { ok: true, matches: (text) => text !== null && compare(match, text, { wanted, folding }) };
}

function compare(
  match: 'exact' | 'starts_with' | 'contains',
  text: TextToMatch,
  { wanted, folding }: { wanted: string; folding: Folding },
): boolean {
  switch (match) {
    case 'exact':
      return text.isWhole && text.folded(folding) === wanted;
    case 'starts_with':
      return text.folded(folding).startsWith(wanted);
    case 'contains':
      return text.folded(folding).includes(wanted);
  }
}
