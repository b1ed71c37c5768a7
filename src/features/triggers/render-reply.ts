import { cutText } from './cut-text.ts';

/** What a reply may say about the message that it answers. */
export const VARIABLES = ['phone', 'name', 'message', 'date', 'code'] as const;
export type Variable = (typeof VARIABLES)[number];

/** WhatsApp takes longer ones; this is what Pingr takes everywhere. */
export const LONGEST_TEXT = 4_096;

const PLACEHOLDER = /\{\{([^{}]*)\}\}/g;

/** Variables of a text that do not exist, as written. */
export function unknownVariables(template: string): string[] {
  const used = [...template.matchAll(PLACEHOLDER)].map(([, name = '']) => name.trim());
  return [...new Set(used.filter((name) => !isVariable(name)))];
}

export function usesVariable(template: string, variable: Variable): boolean {
  return [...template.matchAll(PLACEHOLDER)].some(([, name = '']) => name.trim() === variable);
}

/**
 * Puts values in the place of `{{variables}}`. Values are text: what they hold is not looked at again.
 * @returns the text, cut where it would be too long to send
 */
export function renderReply(template: string, values: Readonly<Record<Variable, string>>): string {
  const text = template.replace(PLACEHOLDER, (whole, inner: string) => {
    const name = inner.trim();
    // A template names a variable some hundred times; a message may be as long as sixteen replies.
    return isVariable(name) ? cutText(values[name], LONGEST_TEXT) : whole;
  });
  return cutText(text, LONGEST_TEXT);
}

function isVariable(name: string): name is Variable {
  return VARIABLES.some((variable) => variable === name);
}
