import type { KeyWrite } from '../session-key-store.ts';
import type { KeyCache } from './key-cache.ts';

/**
 * What decrypting changed in Signal state, kept apart until the messages are committed. A ratchet that is durable
 * before its message is would lose the message in a crash: WhatsApp delivers the ciphertext again, and the ratchet can
 * no longer open it. The other way round nothing is lost: the message opens again, and is known by its id.
 */
export class Unconfirmed {
  readonly #cache: KeyCache;
  #writes = new Map<string, KeyWrite>();
  #waiting: (() => void)[] = [];
  /** Whether a batch is being taken in: then its end confirms, else each message does. */
  #inBatch = false;
  #closed = false;

  constructor(cache: KeyCache) {
    this.#cache = cache;
  }

  get(kind: string, id: string): KeyWrite | undefined {
    return this.#writes.get(`${kind}/${id}`);
  }

  put(write: KeyWrite): void {
    this.#writes.set(`${write.kind}/${write.id}`, write);
  }

  forget(kind: string, id: string): void {
    this.#writes.delete(`${kind}/${id}`);
  }

  /** Resolves once the key is free of unconfirmed changes, so that what is built on it can be made durable. */
  async cleared(kind: string, id: string): Promise<void> {
    while (this.get(kind, id) !== undefined) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  beginBatch(): void {
    this.#inBatch = true;
  }

  /** The batch is committed: its changes may become durable. */
  confirmBatch(): void {
    this.#inBatch = false;
    this.confirmSingle();
  }

  /** A message outside every batch was decrypted. */
  confirmSingle(): void {
    if (this.#inBatch || this.#closed) return;
    this.#cache.put([...this.#writes.values()]);
    this.#end();
  }

  /** The batch will not be committed: its messages must open again. */
  discard(): void {
    this.#inBatch = false;
    this.#end();
  }

  /** The connection is over: whatever ends later changes nothing any more. */
  close(): void {
    this.#closed = true;
    this.discard();
  }

  #end(): void {
    this.#writes = new Map();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
