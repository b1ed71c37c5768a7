import { BufferJSON, proto, type SignalDataTypeMap } from '@whiskeysockets/baileys';

interface Codec<T> {
  encode(value: T): Uint8Array;
  decode(bytes: Uint8Array): T;
}

/** The kinds of Baileys' key store that are kept. */
export type KeptKind = Exclude<keyof SignalDataTypeMap, 'device-list' | 'identity-key'>;

const raw: Codec<Uint8Array> = { encode: (value) => value, decode: (bytes) => bytes };

const text: Codec<string> = {
  encode: (value) => Buffer.from(value, 'utf8'),
  decode: (bytes) => Buffer.from(bytes).toString('utf8'),
};

/** Stored bytes come back as they were written by us: nothing is checked beyond their being JSON. */
function json<T>(): Codec<T> {
  return {
    encode: (value) => Buffer.from(JSON.stringify(value, BufferJSON.replacer), 'utf8'),
    decode: (bytes) => JSON.parse(Buffer.from(bytes).toString('utf8'), BufferJSON.reviver),
  };
}

const KEY_BYTES = 32;

/** How each kind of key is written: most are bytes already, the rest compact. */
export const CODECS: { [K in KeptKind]: Codec<SignalDataTypeMap[K]> } = {
  session: raw,
  'sender-key': raw,
  'pre-key': {
    encode: (pair) => Buffer.concat([pair.private, pair.public]),
    decode: (bytes) => ({
      private: Buffer.from(bytes.subarray(0, KEY_BYTES)),
      public: Buffer.from(bytes.subarray(KEY_BYTES)),
    }),
  },
  'app-state-sync-key': {
    encode: (key) => proto.Message.AppStateSyncKeyData.encode(key).finish(),
    decode: (bytes) => proto.Message.AppStateSyncKeyData.decode(bytes),
  },
  'app-state-sync-version': json(),
  'sender-key-memory': json(),
  'lid-mapping': text,
  tctoken: json(),
};

export const KEPT_KINDS = [
  'session',
  'sender-key',
  'pre-key',
  'app-state-sync-key',
  'app-state-sync-version',
  'sender-key-memory',
  'lid-mapping',
  'tctoken',
] as const satisfies readonly KeptKind[];

/** Whether Baileys' kind is kept. Device lists are kept by {@link DeviceDirectory}, identities inside the sessions. */
export function isKept(kind: keyof SignalDataTypeMap): kind is KeptKind {
  return kind in CODECS;
}
