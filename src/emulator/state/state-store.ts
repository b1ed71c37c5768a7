import { mkdir } from 'node:fs/promises';
import { ClassicLevel } from 'classic-level';
import { Lane } from './lane.ts';

/** Longest time a change stays in memory only. */
const FLUSH_AFTER_MS = 50;

interface PendingWrite {
  /** Makes the value when it is written, so that ten changes in a row are serialized once; absent: delete. */
  produce?: () => Uint8Array;
  /** The key was never written to disk. */
  fresh: boolean;
}

/** What must survive a restart: keys and values in LevelDB, written in batches off the hot path. */
export class StateStore {
  readonly #db: ClassicLevel<string, Uint8Array> | undefined;
  readonly #lane = new Lane();
  #pending = new Map<string, PendingWrite>();
  #timer: NodeJS.Timeout | undefined;

  private constructor(db: ClassicLevel<string, Uint8Array> | undefined) {
    this.#db = db;
  }

  /** Opens the store in a directory, which is made where missing; without one nothing is kept. */
  static async open(directory: string | undefined): Promise<StateStore> {
    if (directory === undefined) return new StateStore(undefined);
    // Private keys of the phones and of the root are in there.
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const db = new ClassicLevel<string, Uint8Array>(directory, {
      keyEncoding: 'utf8',
      valueEncoding: 'view',
    });
    await db.open();
    return new StateStore(db);
  }

  /** Writes soon. `fresh` says that the key is new: deleting it before it was written then costs nothing. */
  put(key: string, produce: () => Uint8Array, fresh = false): void {
    if (!this.#db) return;
    const pending = this.#pending.get(key);
    this.#pending.set(key, { produce, fresh: pending ? pending.fresh : fresh });
    this.#schedule();
  }

  /** Deletes soon. */
  delete(key: string): void {
    if (!this.#db) return;
    if (this.#pending.get(key)?.fresh) {
      this.#pending.delete(key);
      return;
    }
    this.#pending.set(key, { fresh: false });
    this.#schedule();
  }

  /** Deletes every key that starts with the prefix, now. */
  async deleteUnder(prefix: string): Promise<void> {
    for (const key of this.#pending.keys()) if (key.startsWith(prefix)) this.#pending.delete(key);
    await this.#lane.run(async () => this.#db?.clear({ gte: prefix, lt: `${prefix}\uffff` }));
  }

  /** Everything stored, in key order. */
  async load(): Promise<[string, Buffer][]> {
    const entries = (await this.#db?.iterator().all()) ?? [];
    return entries.map(([key, { buffer, byteOffset, byteLength }]) => [
      key,
      Buffer.from(buffer, byteOffset, byteLength),
    ]);
  }

  /** Writes what is pending; resolves when it is on disk. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#lane.run(() => this.#write());
  }

  /** Flushes and closes. */
  async close(): Promise<void> {
    await this.flush();
    await this.#db?.close();
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => void this.flush(), FLUSH_AFTER_MS);
  }

  async #write(): Promise<void> {
    if (!this.#db || this.#pending.size === 0) return;
    const writes = this.#pending;
    this.#pending = new Map();
    await this.#db.batch(
      [...writes].map(([key, { produce }]) =>
        produce ? { type: 'put', key, value: produce() } : { type: 'del', key },
      ),
    );
  }
}
