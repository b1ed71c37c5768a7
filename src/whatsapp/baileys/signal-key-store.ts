import type { SignalDataSet, SignalDataTypeMap, SignalKeyStore } from '@whiskeysockets/baileys';
import type { KeyWrite } from '../session-key-store.ts';
import type { Credentials } from './credentials.ts';
import type { KeyCache } from './key-cache.ts';
import { CODECS, isKept, KEPT_KINDS, type KeptKind } from './key-codec.ts';

/** Kinds that others rely on as soon as Baileys goes on: the server hands prekeys out, the phone sends its keys once. */
const DURABLE_AT_ONCE: readonly string[] = ['pre-key', 'app-state-sync-key'] satisfies KeptKind[];

/** Baileys' key store on the session's cache. Signal sessions pass it by: the repository owns them. */
export function signalKeyStore(cache: KeyCache, credentials: Credentials): SignalKeyStore {
  return {
    async get(kind, ids) {
      const values: { [id: string]: SignalDataTypeMap[typeof kind] } = {};
      if (!isKept(kind)) return values;
      for (const [id, bytes] of await cache.getMany(kind, ids)) values[id] = CODECS[kind].decode(bytes);
      return values;
    },
    async set(data) {
      const writes = KEPT_KINDS.flatMap((kind) => encodeAll(kind, data));
      if (writes.length === 0) return;
      cache.put(writes);
      if (!writes.some(({ kind, value }) => value !== null && DURABLE_AT_ONCE.includes(kind))) return;
      // The number of the next prekey first: a number that is used twice makes messages that nobody can open.
      await credentials.persist();
      await cache.persist();
    },
  };
}

function encodeAll<K extends KeptKind>(kind: K, data: SignalDataSet): KeyWrite[] {
  return Object.entries<SignalDataTypeMap[K] | null>(data[kind] ?? {}).map(([id, value]) => ({
    kind,
    id,
    value: value && CODECS[kind].encode(value),
  }));
}
