import { setTimeout as sleep } from 'node:timers/promises';
import {
  type KeyWrite,
  LeaseLostError,
  type SessionKeyStore,
} from '../../../src/whatsapp/session-key-store.ts';

/** A session's keys in memory, which can be slow, fail, lose its lease, and crash. */
export class MemoryKeyStore implements SessionKeyStore {
  credentials: Uint8Array | undefined;
  readonly keys: Map<string, Uint8Array>;
  /** Every `set` that became durable. */
  readonly sets: (readonly KeyWrite[])[] = [];
  credentialWrites = 0;
  reads = 0;
  /** What writes wait for. */
  held: Promise<void> | undefined;
  writeDelayMs = 0;
  failing = false;
  leaseLost = false;
  /** Called before a write becomes durable. */
  beforeWrite: () => void = () => undefined;

  constructor(credentials?: Uint8Array, keys: Iterable<[string, Uint8Array]> = []) {
    this.credentials = credentials;
    this.keys = new Map(keys);
  }

  /** What a new process finds after this one was killed: exactly what is durable. This store takes no more writes. */
  crash(): MemoryKeyStore {
    this.leaseLost = true;
    return new MemoryKeyStore(this.credentials, this.keys);
  }

  count(kind: string): number {
    return [...this.keys.keys()].filter((key) => key.startsWith(`${kind}/`)).length;
  }

  async loadCredentials(): Promise<Uint8Array | undefined> {
    return this.credentials;
  }

  async saveCredentials(credentials: Uint8Array): Promise<void> {
    await this.#write();
    this.credentialWrites++;
    this.credentials = credentials;
  }

  async get(kind: string, ids: readonly string[]): Promise<Map<string, Uint8Array>> {
    this.reads++;
    if (this.failing) throw new Error('the store is down');
    return new Map(
      ids.flatMap((id) => {
        const value = this.keys.get(`${kind}/${id}`);
        return value === undefined ? [] : [[id, value] as const];
      }),
    );
  }

  async set(writes: readonly KeyWrite[]): Promise<void> {
    await this.#write();
    for (const { kind, id, value } of writes) {
      if (value === null) this.keys.delete(`${kind}/${id}`);
      else this.keys.set(`${kind}/${id}`, Uint8Array.from(value));
    }
    this.sets.push(writes);
  }

  async #write(): Promise<void> {
    await (this.writeDelayMs > 0 ? sleep(this.writeDelayMs) : this.held);
    this.beforeWrite();
    if (this.leaseLost) throw new LeaseLostError('the session moved on');
    if (this.failing) throw new Error('the store is down');
  }
}
