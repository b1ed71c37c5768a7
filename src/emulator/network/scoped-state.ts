import type { StateStore } from '../state/state-store.ts';

const REALM_PREFIX = 'realm/';

/** A part of the store: keys are relative to its path. */
export interface ScopedState {
  put(key: string, produce: () => Uint8Array, fresh?: boolean): void;
  putJson(key: string, value: () => unknown, fresh?: boolean): void;
  delete(key: string): void;
}

/** Path under which everything of a realm is kept. */
export function realmPath(realm: string): string {
  return `${REALM_PREFIX}${encodeURIComponent(realm)}/`;
}

/** The part of the store under a path. Writes are dropped once `isErased`: late ones must not bring a realm back. */
export function scopedState(store: StateStore, path: string, isErased: () => boolean): ScopedState {
  const put: ScopedState['put'] = (key, produce, fresh) => {
    if (!isErased()) store.put(path + key, produce, fresh);
  };
  return {
    put,
    putJson: (key, value, fresh) => put(key, () => Buffer.from(JSON.stringify(value())), fresh),
    delete: (key) => store.delete(path + key),
  };
}

/** Reads a key as `[realm, kind, …rest]`; `undefined` for keys outside realms. */
export function parseStateKey(key: string): { realm: string; kind: string; rest: string[] } | undefined {
  if (!key.startsWith(REALM_PREFIX)) return undefined;
  const [realm, kind, ...rest] = key.slice(REALM_PREFIX.length).split('/');
  if (realm === undefined || kind === undefined) return undefined;
  return { realm: decodeURIComponent(realm), kind, rest };
}

/** A sequence number as a key part that sorts by value. */
export function sequenceKey(sequence: number): string {
  return sequence.toString(16).padStart(12, '0');
}
