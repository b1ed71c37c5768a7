/** One place in the input that is wrong. `pointer` is a JSON pointer into the body, or `?name` for a query parameter. */
export interface FieldProblem {
  pointer: string;
  detail: string;
}

/** What is fixed about an error: every instance of a code has the same status and title. */
export interface ErrorDefinition {
  /** Stable dotted code, the contract with callers, e.g. `message.recipient_not_on_whatsapp`. */
  code: string;
  /** HTTP status that the edge answers with. */
  status: number;
  /** Public one-line title. */
  title: string;
  /** What the caller can do about it, shown in the generated error reference. */
  remedy: string;
  /**
   * Of a 5xx: thrown only before anything was done, or by work that may be done again, so that a repeat of the request
   * under its `Idempotency-Key` is served afresh.
   */
  repeatable?: true;
}

interface ErrorDetails {
  /** Public sentence about this occurrence. Must not hold secrets or message text. */
  detail?: string | undefined;
  fields?: FieldProblem[] | undefined;
  /** Seconds after which a retry may succeed, sent as `Retry-After`. */
  retryAfter?: number | undefined;
  /** Internal cause, logged and never shown. */
  cause?: unknown;
}

/** An error the product knows: it has a stable code and may be shown to the caller. */
export class PingrError extends Error {
  override readonly name = 'PingrError';
  readonly definition: ErrorDefinition;
  readonly detail: string | undefined;
  readonly fields: FieldProblem[];
  readonly retryAfter: number | undefined;

  constructor(definition: ErrorDefinition, details: ErrorDetails = {}) {
    super(details.detail ?? definition.title, { cause: details.cause });
    this.definition = definition;
    this.detail = details.detail;
    this.fields = details.fields ?? [];
    this.retryAfter = details.retryAfter;
  }

  get code(): string {
    return this.definition.code;
  }
}

/** Makes one error of a known code; slices call it through {@link defineErrors}. */
export type ErrorFactory = ((details?: ErrorDetails) => PingrError) & { definition: ErrorDefinition };

const registry = new Map<string, ErrorDefinition>();

/**
 * Declares a slice's errors and returns a factory for each.
 * Codes are registered once per process so that the reference in the docs lists them all.
 * @throws Error when two definitions claim one code.
 */
export function defineErrors<const K extends string>(
  definitions: Record<K, ErrorDefinition>,
): Record<K, ErrorFactory> {
  const entries = Object.entries<ErrorDefinition>(definitions).map(([key, definition]) => {
    if (registry.has(definition.code)) throw new Error(`error code ${definition.code} is declared twice`);
    registry.set(definition.code, definition);
    const factory = (details?: ErrorDetails) => new PingrError(definition, details);
    return [key, Object.assign(factory, { definition })] as const;
  });
  return Object.fromEntries(entries) as Record<K, ErrorFactory>;
}

/** Every declared error, by code: the source of `docs/errors.md`. */
export function declaredErrors(): ErrorDefinition[] {
  return [...registry.values()].sort((a, b) => a.code.localeCompare(b.code));
}
