/** A code that stands inside an object, such as a message that failed, rather than in the answer to a request. */
export interface OutcomeDefinition {
  /** Stable dotted code, e.g. `message.account_restricted`. */
  code: string;
  /** Where it stands: `error.code` of a message, say. */
  field: string;
  /** What happened, and what to do where there is something to do: sentences. */
  meaning: string;
}

const registry = new Map<string, OutcomeDefinition>();

/** Declares the codes of one field, so that the reference lists them all. A code may come with several causes. */
export function defineOutcomes(field: string, outcomes: Iterable<{ code: string; meaning: string }>): void {
  for (const { code, meaning } of outcomes) registry.set(code, { code, field, meaning });
}

/** Every declared code, by field and code: part of the source of `docs/errors.md`. */
export function declaredOutcomes(): OutcomeDefinition[] {
  return [...registry.values()].sort(
    (a, b) => a.field.localeCompare(b.field) || a.code.localeCompare(b.code),
  );
}
