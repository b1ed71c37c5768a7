/** Whose session it is, and how it began. */
export interface SessionInfo {
  /** Ephemeral key that the session began with: two sessions with one device differ in it. */
  baseKey: Uint8Array;
  registrationId: number;
}

/** A stored record taken apart: the session in use, and older ones that late messages may still need. */
export interface SessionParts {
  current: Uint8Array | undefined;
  previous: Uint8Array[];
}

/** One session of a record as if there were no other. */
export interface LoneSession {
  /** A record of this session only. */
  record: Uint8Array;
  /** The whole record again, with what the lone one became in front of the other sessions. */
  rejoin(changed: Uint8Array): Uint8Array;
}

/** Field numbers in libsignal's `storage.proto`: `RecordStructure` and `SessionStructure`. */
const CURRENT_SESSION = 1;
const PREVIOUS_SESSIONS = 2;
const REMOTE_REGISTRATION_ID = 10;
const ALICE_BASE_KEY = 13;
/** As libsignal's `ARCHIVED_STATES_MAX_LENGTH`. */
const MAX_PREVIOUS = 40;

type Field = [number: number, value: number | Uint8Array];

/** Takes a serialized libsignal session record apart. @throws Error for bytes that are no record */
export function splitRecord(record: Uint8Array): SessionParts {
  const parts: SessionParts = { current: undefined, previous: [] };
  for (const [number, value] of fields(record)) {
    if (!(value instanceof Uint8Array)) continue;
    if (number === CURRENT_SESSION) parts.current = value;
    else if (number === PREVIOUS_SESSIONS) parts.previous.push(value);
  }
  return parts;
}

/** Puts a record together; the oldest sessions drop out where there are too many. */
export function joinRecord({ current, previous }: SessionParts): Uint8Array {
  return Buffer.concat([
    ...(current === undefined ? [] : [lengthPrefixed(CURRENT_SESSION, current)]),
    ...previous.slice(0, MAX_PREVIOUS).map((session) => lengthPrefixed(PREVIOUS_SESSIONS, session)),
  ]);
}

/**
 * Every session of a record by itself, the one in use first. `whatsapp-rust-bridge` spoils a session that it tries in
 * vain, so a message that may belong to any of several is tried on each alone.
 * @throws Error for bytes that are no record
 */
export function loneSessions(record: Uint8Array): LoneSession[] {
  const { current, previous } = splitRecord(record);
  const sessions = current === undefined ? previous : [current, ...previous];
  return sessions.map((session, i) => ({
    record: joinRecord({ current: session, previous: [] }),
    rejoin: (changed) =>
      joinRecord({ current: splitRecord(changed).current, previous: sessions.toSpliced(i, 1) }),
  }));
}

/** Reads the current session of a stored record; `null` where there is none. */
export function sessionInfo(record: Uint8Array): SessionInfo | null {
  const { current } = splitRecord(record);
  if (current === undefined) return null;
  const inside = new Map(fields(current));
  const baseKey = inside.get(ALICE_BASE_KEY);
  const registrationId = inside.get(REMOTE_REGISTRATION_ID);
  if (!(baseKey instanceof Uint8Array) || typeof registrationId !== 'number') return null;
  return { baseKey, registrationId };
}

/** Fields of a protobuf message that holds varints below 2^53 and byte strings only. */
function fields(bytes: Uint8Array): Field[] {
  const found: Field[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at++];
      if (byte === undefined || factor > 2 ** 49) throw new Error('not a session record');
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const wireType = tag & 7;
    const value = varint();
    if (wireType === 0) found.push([tag >>> 3, value]);
    else if (wireType === 2 && at + value <= bytes.length) {
      found.push([tag >>> 3, bytes.subarray(at, at + value)]);
      at += value;
    } else throw new Error('not a session record');
  }
  return found;
}

function lengthPrefixed(field: number, value: Uint8Array): Buffer {
  const header = [field * 8 + 2];
  let length = value.length;
  for (; length > 127; length = Math.floor(length / 128)) header.push((length % 128) + 128);
  header.push(length);
  return Buffer.concat([Buffer.from(header), value]);
}
