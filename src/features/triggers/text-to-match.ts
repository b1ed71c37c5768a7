import { cutText } from './cut-text.ts';
import { type Folding, foldAccents, foldText, normalise } from './fold-text.ts';

/** How much of a message's text is looked at, in UTF-16 units. WhatsApp takes sixteen times as much. */
export const MOST_TEXT = 4_096;

/** A message's text as the triggers of an account look at it: each form is made once, when the first asks for it. */
export class TextToMatch {
  /** Whether there is no more of it than is looked at. */
  readonly isWhole: boolean;
  readonly #start: string;
  readonly #forms = new Map<string, string>();

  constructor(text: string) {
    this.isWhole = text.length <= MOST_TEXT;
    this.#start = cutText(text, MOST_TEXT);
  }

  /** Its beginning as phrases are compared with it: see `foldText`. */
  folded(folding: Folding): string {
    return this.#form(`folded ${folding.case} ${folding.accents}`, () => foldText(this.#start, folding));
  }

  /** Its beginning as regular expressions see it: normalised, with its lines, spaces and case. */
  normalised({ accents }: Pick<Folding, 'accents'>): string {
    return this.#form(`normalised ${accents}`, () => {
      const start = normalise(this.#start);
      return cutText(accents ? foldAccents(start) : start, MOST_TEXT);
    });
  }

  #form(name: string, make: () => string): string {
    const known = this.#forms.get(name);
    if (known !== undefined) return known;
    const made = make();
    this.#forms.set(name, made);
    return made;
  }
}
