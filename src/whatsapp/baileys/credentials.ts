import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type AuthenticationCreds, BufferJSON, initAuthCreds } from '@whiskeysockets/baileys';
import { LeaseLostError, type SessionKeyStore } from '../session-key-store.ts';

/** A session's credentials: Baileys changes them in place, and this writes them when they differ from what is stored. */
export class Credentials {
  readonly value: AuthenticationCreds;
  readonly #store: SessionKeyStore;
  readonly #onLost: () => void;
  /** Digest of what is stored, to leave out writes that change nothing. */
  #stored: string | undefined;
  #writing: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  private constructor(
    store: SessionKeyStore,
    onLost: () => void,
    value: AuthenticationCreds,
    stored?: string,
  ) {
    this.#store = store;
    this.#onLost = onLost;
    this.#stored = stored;
    this.value = value;
  }

  /** Reads the stored credentials, or makes new ones where there are none or a pairing was left unfinished. */
  static async load(store: SessionKeyStore, onLost: () => void): Promise<Credentials> {
    const bytes = await store.loadCredentials();
    if (bytes === undefined) return new Credentials(store, onLost, initAuthCreds());
    const text = Buffer.from(bytes).toString('utf8');
    const value: unknown = JSON.parse(text, BufferJSON.reviver);
    if (!isCredentials(value)) throw new Error('the stored credentials cannot be read');
    // Asking for a pairing code names the account before it is linked; logging in as it would be refused.
    if (!isLinked(value)) return new Credentials(store, onLost, initAuthCreds());
    return new Credentials(store, onLost, value, digest(text));
  }

  get linked(): boolean {
    return isLinked(this.value);
  }

  /** Resolves once the current value is durable. Calls within one turn of the event loop share one write. */
  persist(): Promise<void> {
    this.#next ??= this.#writeNext();
    return this.#next;
  }

  /** Writes a value before Baileys takes it over. */
  async persistAs(update: Partial<AuthenticationCreds>): Promise<void> {
    await this.#write(serialize({ ...this.value, ...update }));
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
    await this.#write(serialize(this.value));
  }

  async #write(text: string): Promise<void> {
    const written = digest(text);
    if (written === this.#stored) return;
    this.#writing = this.#store.saveCredentials(Buffer.from(text, 'utf8'));
    try {
      await this.#writing;
      this.#stored = written;
    } catch (error) {
      if (error instanceof LeaseLostError) this.#onLost();
      throw error;
    }
  }
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}

function isLinked(creds: AuthenticationCreds): boolean {
  return creds.account !== undefined && creds.me?.id !== undefined;
}

function serialize(creds: AuthenticationCreds): string {
  const { account } = creds;
  // Protobuf messages have a `toJSON` of their own, which turns bytes into text.
  return JSON.stringify({ ...creds, ...(account && { account: { ...account } }) }, BufferJSON.replacer);
}

function isCredentials(value: unknown): value is AuthenticationCreds {
  return (
    typeof value === 'object' &&
    value !== null &&
    'noiseKey' in value &&
    'signedIdentityKey' in value &&
    'signedPreKey' in value &&
    'registrationId' in value &&
    'advSecretKey' in value
  );
}
