import { proto } from '@whiskeysockets/baileys/WAProto/index.js';
import type { ScopedState } from './scoped-state.ts';

/** The account's synchronised settings: an append-only list of encrypted patches for each collection. */
export class AppState {
  readonly #state: ScopedState;
  readonly #path: string;
  readonly #patches = new Map<string, Uint8Array[]>();

  constructor(state: ScopedState, path: string) {
    this.#state = state;
    this.#path = path;
  }

  /** The newest version of a collection; 0 before the first patch. */
  version(collection: string): number {
    return this.#patches.get(collection)?.length ?? 0;
  }

  /** The patches after a version, oldest first. */
  since(collection: string, version: number): Uint8Array[] {
    return this.#patches.get(collection)?.slice(version) ?? [];
  }

  /**
   * Appends a patch made on top of `base`.
   * @returns the new version, or `undefined` when the collection has moved on.
   */
  append(collection: string, base: number, patch: Uint8Array): number | undefined {
    if (base !== this.version(collection)) return undefined;
    const version = base + 1;
    // Readers need the version inside: they count wrongly from the second patch on.
    const decoded = proto.SyncdPatch.decode(patch);
    const stored = proto.SyncdPatch.encode({ ...decoded, version: { version } }).finish();
    this.restore(collection, stored);
    this.#state.put(`${this.#path}/${collection}/${String(version).padStart(8, '0')}`, () => stored, true);
    return version;
  }

  /** Takes a patch back in that was stored before a restart; called in order. */
  restore(collection: string, patch: Uint8Array): void {
    const patches = this.#patches.get(collection);
    if (patches) patches.push(patch);
    else this.#patches.set(collection, [patch]);
  }
}
