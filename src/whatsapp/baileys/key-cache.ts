import { setImmediate as nextTurn } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { type KeyWrite, LeaseLostError, type SessionKeyStore } from '../session-key-store.ts';

/** Bytes of one process's recently used keys, over all its sessions. */
export type SharedKeys = LRUCache<string, Uint8Array>;

const ENTRY_OVERHEAD = 100;
/** Stands for a key that the store is known not to hold. */
const ABSENT = new Uint8Array();

/** Makes the cache that all sessions of a process share, bounded by bytes whatever their number. */
export function createSharedKeys(maxBytes: number): SharedKeys {
  return new LRUCache({
    maxSize: maxBytes,
    sizeCalculation: (value, key) => value.length + key.length + ENTRY_OVERHEAD,
  });
}

let instances = 0;

/**
 * One session's keys: reads through the shared cache, writes behind. What is `put` is seen by every later read at once
 * and is durable after the next `persist`, which gathers the writes of one turn of the event loop into one `set`.
 */
export class KeyCache {
  readonly #store: SessionKeyStore;
  readonly #shared: SharedKeys;
  readonly #prefix = `${++instances}`;
  readonly #lazyMs: number;
  readonly #onLost: () => void;
  /** Put, and not yet on its way to the store. */
  #fresh = new Map<string, KeyWrite>();
  /** On its way to the store. */
  #leaving = new Map<string, KeyWrite>();
  #writing: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  #lazy: NodeJS.Timeout | undefined;
  #closed = false;

  /**
   * @param lazyMs longest time that a write waits which nobody asked to persist
   * @param onLost called when the store says that the session belongs to another worker
   */
  constructor(parts: { store: SessionKeyStore; shared: SharedKeys; lazyMs: number; onLost: () => void }) {
    this.#store = parts.store;
    this.#shared = parts.shared;
    this.#lazyMs = parts.lazyMs;
    this.#onLost = parts.onLost;
  }

  /** @throws whatever the store throws when it must be asked. */
  async get(kind: string, id: string): Promise<Uint8Array | undefined> {
    return this.peek(kind, id) ?? (await this.getMany(kind, [id])).get(id);
  }

  /** The value where it is in memory. */
  peek(kind: string, id: string): Uint8Array | undefined {
    const value = this.#known(kind, id);
    return value === ABSENT ? undefined : value;
  }

  /** Values found, by id; ids without a value are absent. */
  async getMany(kind: string, ids: readonly string[]): Promise<Map<string, Uint8Array>> {
    const found = new Map<string, Uint8Array>();
    const unknown: string[] = [];
    for (const id of ids) {
      const value = this.#known(kind, id);
      if (value === undefined) unknown.push(id);
      else if (value !== ABSENT) found.set(id, value);
    }
    if (unknown.length > 0) {
      const stored = await this.#store.get(kind, unknown);
      for (const id of unknown) {
        // Something newer may have been put while the store was asked.
        const value = this.#known(kind, id) ?? stored.get(id);
        this.#remember(kind, id, value ?? ABSENT);
        if (value !== undefined && value !== ABSENT) found.set(id, value);
      }
    }
    return found;
  }

  /** Changes keys at once; they become durable with the next `persist`, or by themselves after a while. */
  put(writes: readonly KeyWrite[]): void {
    if (this.#closed) return;
    for (const write of writes) this.#fresh.set(address(write.kind, write.id), write);
    this.#lazy ??= setTimeout(() => {
      this.persist().catch(() => undefined);
    }, this.#lazyMs).unref();
  }

  /**
   * Resolves once everything put so far is durable. Calls within one turn of the event loop share one write.
   * @throws whatever the store throws; what it refused stays put and goes with the next write.
   */
  persist(): Promise<void> {
    if (this.#closed) return Promise.reject(new Error('the session is closed'));
    if (this.#fresh.size === 0) return this.#next ?? this.#writing;
    this.#next ??= this.#writeNext();
    return this.#next;
  }

  /** From now on nothing is changed or written any more. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#lazy);
    this.#fresh = new Map();
  }

  /** Resolves when no write is under way any more, whatever became of it. */
  async settle(): Promise<void> {
    await this.#next?.catch(() => undefined);
    await this.#writing.catch(() => undefined);
  }

  async #writeNext(): Promise<void> {
    await nextTurn();
    await this.#writing.catch(() => undefined);
    this.#next = undefined;
    clearTimeout(this.#lazy);
    this.#lazy = undefined;
    if (this.#closed) throw new Error('the session is closed');
    this.#leaving = this.#fresh;
    this.#fresh = new Map();
    this.#writing = this.#write([...this.#leaving.values()]);
    // Whoever asked gets the rejection from here; nobody needs to be waiting.
    this.#writing.catch(() => undefined);
    return this.#writing;
  }

  async #write(writes: readonly KeyWrite[]): Promise<void> {
    try {
      await this.#store.set(writes);
      for (const { kind, id, value } of writes) this.#remember(kind, id, value ?? ABSENT);
    } catch (error) {
      if (!this.#closed) this.#fresh = new Map([...this.#leaving, ...this.#fresh]);
      if (error instanceof LeaseLostError) this.#onLost();
      throw error;
    } finally {
      this.#leaving = new Map();
    }
  }

  /** The newest value that is in memory: `ABSENT` for none in the store, `undefined` for unknown. */
  #known(kind: string, id: string): Uint8Array | undefined {
    const key = address(kind, id);
    const write = this.#fresh.get(key) ?? this.#leaving.get(key);
    if (write !== undefined) return write.value ?? ABSENT;
    return this.#shared.get(`${this.#prefix}/${key}`);
  }

  #remember(kind: string, id: string, value: Uint8Array): void {
    // A pairing makes 812 of them at once, and each is read once in its life.
    if (kind === 'pre-key') return;
    this.#shared.set(`${this.#prefix}/${address(kind, id)}`, value);
  }
}

function address(kind: string, id: string): string {
  return `${kind}/${id}`;
}
