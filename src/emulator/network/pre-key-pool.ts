/** A one-time key that a companion uploaded. */
export interface OneTimePreKey {
  id: number;
  publicKey: Uint8Array;
}

const ID_BYTES = 3;
const ENTRY_BYTES = ID_BYTES + 32;

/** One-time keys of one companion, given out in the order uploaded, each once. Kept packed: there are 812 of them. */
export class PreKeyPool {
  #packed: Buffer = Buffer.alloc(0);
  #taken: number;

  /** @param taken how many of the keys restored later are already gone. */
  constructor(taken = 0) {
    this.#taken = taken;
  }

  get taken(): number {
    return this.#taken;
  }

  /** How many are left. */
  get size(): number {
    return Math.max(0, this.#packed.length / ENTRY_BYTES - this.#taken);
  }

  add(keys: OneTimePreKey[]): void {
    const added = Buffer.alloc(keys.length * ENTRY_BYTES);
    keys.forEach(({ id, publicKey }, at) => {
      added.writeUIntBE(id, at * ENTRY_BYTES, ID_BYTES);
      added.set(publicKey, at * ENTRY_BYTES + ID_BYTES);
    });
    this.#packed = Buffer.concat([this.#packed.subarray(this.#taken * ENTRY_BYTES), added]);
    this.#taken = 0;
  }

  take(): OneTimePreKey | undefined {
    if (this.size === 0) return undefined;
    const at = this.#taken++ * ENTRY_BYTES;
    return {
      id: this.#packed.readUIntBE(at, ID_BYTES),
      publicKey: this.#packed.subarray(at + ID_BYTES, at + ENTRY_BYTES),
    };
  }

  /** All keys since the last upload, taken ones included: they change with uploads only. */
  serialize(): Uint8Array {
    return this.#packed;
  }

  restore(packed: Buffer): void {
    this.#packed = packed;
  }
}
