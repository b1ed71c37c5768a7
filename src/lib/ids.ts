import { uuidv7 } from 'uuidv7';

/** Prefix of each kind of id, as the API shows it. Keys (`pk_…`) are credentials, not ids, and live with api-keys. */
export const ID_PREFIXES = {
  account: 'acc',
  apiKey: 'key',
  session: 'ses',
  message: 'msg',
  event: 'evt',
  request: 'req',
  worker: 'wrk',
  webhookEndpoint: 'whe',
  delivery: 'dlv',
  attempt: 'att',
  trigger: 'trg',
  invoice: 'inv',
  providerSubscription: 'psu',
  accountExport: 'exp',
  accountClosure: 'clo',
  alert: 'alr',
  activity: 'act',
  user: 'usr',
  invitation: 'ivt',
  signIn: 'sgn',
  auditEntry: 'aud',
  mail: 'mal',
} as const;

export type IdKind = keyof typeof ID_PREFIXES;

/** A public id: prefix + `_` + 26 characters of Crockford base32 (a UUIDv7, so ids sort by time). Branded by kind. */
export type Id<K extends IdKind> = string & { readonly __kind: K };

/** Makes the UUID of a new row. Injected so that tests can hold it. */
export type NewUuid = () => string;

/** UUIDv7 generator, monotonic within the process. */
export const newUuid: NewUuid = uuidv7;

/** Below and above every UUID that is made. */
export const LOWEST_UUID = '00000000-0000-0000-0000-000000000000';
export const HIGHEST_UUID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** The smallest UUIDv7 of an instant, as `app.uuid_floor` makes it; before 1970 the smallest of all. */
export function uuidFloor(at: Date): string {
  const hex = Math.max(0, at.getTime()).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}${LOWEST_UUID.slice(13)}`;
}

/** When a UUIDv7 was made, to the millisecond. */
export function timeOfUuid(uuid: string): Date {
  return new Date(Number.parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16));
}

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** Public id of a UUID: `toId('message', uuid)` → `msg_01h455vb4pex5vsknk084sn02q`. */
export function toId<K extends IdKind>(kind: K, uuid: string): Id<K> {
  return `${ID_PREFIXES[kind]}_${encode(uuid)}` as Id<K>;
}

/** The UUID inside a public id, or `undefined` where the text is not an id of that kind. Case is ignored. */
export function fromId(kind: IdKind, id: string): string | undefined {
  const prefix = `${ID_PREFIXES[kind]}_`;
  const lower = id.toLowerCase();
  return lower.startsWith(prefix) ? decode(lower.slice(prefix.length)) : undefined;
}

function encode(uuid: string): string {
  let value = BigInt(`0x${uuid.replaceAll('-', '')}`);
  let text = '';
  for (let i = 0; i < 26; i++) {
    text = `${ALPHABET[Number(value & 31n)]}${text}`;
    value >>= 5n;
  }
  return text;
}

function decode(text: string): string | undefined {
  if (!/^[0-7][0-9a-hjkmnp-tv-z]{25}$/.test(text)) return undefined;
  let value = 0n;
  for (const character of text) value = (value << 5n) | BigInt(ALPHABET.indexOf(character));
  const hex = value.toString(16).padStart(32, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
