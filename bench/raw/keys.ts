import { readFileSync } from 'node:fs';
import {
  BufferJSON,
  type SignalDataSet,
  type SignalDataTypeMap,
  type SignalKeyStore,
} from '@whiskeysockets/baileys';

type StoredKeys = { [T in keyof SignalDataTypeMap]?: Record<string, SignalDataTypeMap[T] | null> };

/** Credentials and keys of one session, as kept in a file. */
export interface StoredSession<Creds> {
  creds: Creds;
  keys: StoredKeys;
}

/** A key store in memory, and what it holds. */
export function memoryKeys(stored: StoredKeys): SignalKeyStore {
  return storeOver(stored, (type, id) => stored[type]?.[id]);
}

/** A key store that reads the session's file at every question and keeps only what changed in memory. */
export function fileKeys(file: string): SignalKeyStore {
  const changed: StoredKeys = {};
  return storeOver(changed, (type, id) => {
    const known = changed[type]?.[id];
    if (known !== undefined) return known;
    return readSession<unknown>(file).keys[type]?.[id];
  });
}

/** What `memoryKeys` was made on, out of its file. */
export function readSession<Creds>(file: string): StoredSession<Creds> {
  const parsed: StoredSession<Creds> = JSON.parse(readFileSync(file, 'utf8'), BufferJSON.reviver);
  return parsed;
}

type Find = <T extends keyof SignalDataTypeMap>(
  type: T,
  id: string,
) => SignalDataTypeMap[T] | null | undefined;

function storeOver(changed: StoredKeys, find: Find): SignalKeyStore {
  return {
    get<T extends keyof SignalDataTypeMap>(type: T, ids: string[]) {
      const found: Record<string, SignalDataTypeMap[T]> = {};
      for (const id of ids) {
        const value = find(type, id);
        if (value) found[id] = value;
      }
      return found;
    },
    set(data: SignalDataSet) {
      for (const [type, entries] of Object.entries(data)) {
        const known = Object.entries(changed).find(([kept]) => kept === type)?.[1];
        if (known) Object.assign(known, entries);
        else Object.assign(changed, { [type]: { ...entries } });
      }
    },
  };
}
