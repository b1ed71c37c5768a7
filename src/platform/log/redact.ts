/** What a removed value is replaced with. */
export const REDACTED = '[redacted]';

const CREDENTIALS =
  'authorization cookie set-cookie x-api-key api-key token secret password pepper master-key private-key root-key ' +
  'credentials creds signature';
/** What people write to each other. */
const MESSAGE_TEXT = 'body text message caption conversation content';

/** Field names whose value never reaches the log; case, `-` and `_` do not matter. */
const SECRET_NAMES = `${CREDENTIALS} ${MESSAGE_TEXT}`.split(' ');
const SECRET_FIELDS = new Set(SECRET_NAMES.map((name) => name.replaceAll('-', '')));
const SECRET_FIELD_IN_JSON = new RegExp(`"(${SECRET_NAMES.join('|').replaceAll('-', '[-_]?')})":`, 'i');

const API_KEY = /pk_(live|test)_[\w-]+/g;
const WEBHOOK_SECRET = /whsec_[\w+/=-]+/g;
const BEARER = /\b(bearer)\s+[\w.~+/=-]+/gi;
/** The scheme has a bound, since a line may hold a long word, and each of its letters could begin one. */
const URL_PASSWORD = /([a-z][a-z0-9+.-]{0,30}:\/\/[^\s:/@"\\]*:)[^\s@/"\\]+@/gi;

/**
 * Makes a JSON line safe to write: takes API keys, webhook secrets, bearer tokens and passwords in addresses out of
 * every text, and the values of secret fields out of every object, however deep.
 */
export function redactLine(line: string): string {
  const named = SECRET_FIELD_IN_JSON.test(line)
    ? `${JSON.stringify(redactFields(JSON.parse(line)))}\n`
    : line;
  return named
    .replace(API_KEY, `pk_$1_${REDACTED}`)
    .replace(WEBHOOK_SECRET, `whsec_${REDACTED}`)
    .replace(BEARER, `$1 ${REDACTED}`)
    .replace(URL_PASSWORD, `$1${REDACTED}@`);
}

function redactFields(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(redactFields);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      isSecret(name, inner) ? REDACTED : redactFields(inner),
    ]),
  );
}

/** An absent value stays visible: that a secret is missing is worth knowing. */
function isSecret(name: string, value: unknown): boolean {
  return value !== null && SECRET_FIELDS.has(name.toLowerCase().replaceAll(/[-_]/g, ''));
}
