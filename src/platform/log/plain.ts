const MAX_DEPTH = 8;

/** A copy of a log line's fields that JSON can hold: errors made plain, bytes shown as their length, cycles cut. */
export function plainFields(fields: object): Record<string, unknown> {
  return plainObject(fields, 0);
}

function plainObject(fields: object, depth: number): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, plain(value, depth)]));
}

function plain(value: unknown, depth: number): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) return `[${value.byteLength} bytes]`;
  if (depth >= MAX_DEPTH) return '[deeper]';
  if (value instanceof Error) return plainError(value, depth);
  if (Array.isArray(value)) return value.map((item) => plain(item, depth + 1));
  return isLiteral(value) ? plainObject(value, depth + 1) : value;
}

/** Instances of classes are left to the log's serializers (Fastify's for requests) or their own `toJSON`. */
function isLiteral(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/**
 * An error's own words go under `reason` (`message` is what people write to each other). Other fields are left out:
 * the `detail` of a database error shows the values of a row.
 */
function plainError(error: Error, depth: number): Record<string, unknown> {
  const code = 'code' in error ? error.code : undefined;
  return {
    type: error.name,
    reason: error.message,
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(error.stack ? { stack: error.stack } : {}),
    ...(error.cause === undefined ? {} : { cause: plain(error.cause, depth + 1) }),
  };
}
