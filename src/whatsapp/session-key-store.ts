/**
 * Durable state of one linked number, as an adapter sees it: opaque bytes under (kind, id).
 * The implementation encrypts, and fences every write by the session's lease epoch.
 */
export interface SessionKeyStore {
  /** The credentials blob, or `undefined` before the first save. */
  loadCredentials(): Promise<Uint8Array | undefined>;
  /** Resolves once durable. @throws LeaseLostError when another worker owns the session now. */
  saveCredentials(credentials: Uint8Array): Promise<void>;
  /** Values found, by id; ids without a value are absent. */
  get(kind: string, ids: readonly string[]): Promise<Map<string, Uint8Array>>;
  /** Writes (or, with `null`, deletes) all or nothing; resolves once durable. @throws LeaseLostError */
  set(writes: readonly KeyWrite[]): Promise<void>;
}

export interface KeyWrite {
  kind: string;
  id: string;
  value: Uint8Array | null;
}

/** The session belongs to another worker now: this process must close its socket and write nothing more. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError';
}
