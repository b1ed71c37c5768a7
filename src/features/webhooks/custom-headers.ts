const MAX_HEADERS = 20;
const MAX_NAME = 100;
const MAX_VALUE = 2_000;
const MAX_TOTAL = 8_000;

/** A field name as HTTP knows it (RFC 9110 §5.1). */
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Visible ASCII with spaces and tabs inside (RFC 9110 §5.5). No control character, so no second header. */
const VALUE = /^[\x21-\x7e]([\t\x20-\x7e]*[\x21-\x7e])?$/;

/** Headers that Pingr writes, or that say how the request is carried. */
const RESERVED = new Set([
  'accept-encoding',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'date',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'user-agent',
  'via',
]);
const RESERVED_PREFIXES = ['webhook-', 'x-pingr-', 'proxy-'];

/** One header that cannot be taken; without a name it is the set as a whole. */
export interface HeaderProblem {
  name?: string;
  detail: string;
}

/** What is wrong with a customer's own headers; empty where all of them can be sent. */
export function headerProblems(headers: Readonly<Record<string, string>>): HeaderProblem[] {
  const entries = Object.entries(headers);
  if (entries.length > MAX_HEADERS) return [{ detail: `must have at most ${MAX_HEADERS} headers` }];
  const total = entries.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  if (total > MAX_TOTAL) return [{ detail: `must have at most ${MAX_TOTAL} characters together` }];
  const seen = new Set<string>();
  return entries.flatMap(([name, value]) => {
    const lower = name.toLowerCase();
    const detail = seen.has(lower) ? 'is there twice' : problemOf(lower, value);
    seen.add(lower);
    return detail === undefined ? [] : [{ name, detail }];
  });
}

function problemOf(name: string, value: string): string | undefined {
  if (!NAME.test(name) || name.length > MAX_NAME) {
    return `is not the name of a header of at most ${MAX_NAME} characters`;
  }
  if (RESERVED.has(name) || RESERVED_PREFIXES.some((prefix) => name.startsWith(prefix))) {
    return 'is a header that Pingr sets itself';
  }
  if (value.length > MAX_VALUE) return `must have at most ${MAX_VALUE} characters`;
  if (value !== '' && !VALUE.test(value)) {
    return 'must be visible ASCII, with spaces only inside';
  }
  return undefined;
}

const MASK = '****';
/** Shorter values would be given away by their end. */
const LEAST_TO_SHOW_END = 16;

/** A header's value as the API shows it: what it ends with, enough to tell two apart. */
export function maskValue(value: string): string {
  return value.length < LEAST_TO_SHOW_END ? MASK : `${MASK}${value.slice(-4)}`;
}

/** Whether a value is one that {@link maskValue} made. */
export function isMasked(value: string): boolean {
  return value.startsWith(MASK);
}

/**
 * Headers for a change, from what the customer sent: a value that is the mask of the stored one keeps that, so that
 * what was read can be sent back.
 * @param stored the endpoint's headers now
 */
export function unmasked(
  wanted: Readonly<Record<string, string>>,
  stored: Readonly<Record<string, string>>,
): Record<string, string> {
  const known = new Map(Object.entries(stored).map(([name, value]) => [name.toLowerCase(), value]));
  return Object.fromEntries(
    Object.entries(wanted).map(([name, value]) => {
      const before = known.get(name.toLowerCase());
      return [name, before !== undefined && value === maskValue(before) ? before : value];
    }),
  );
}
