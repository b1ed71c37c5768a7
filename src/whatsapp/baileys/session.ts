import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../platform/log/log.ts';
import type {
  OutgoingMessage,
  SocketClosed,
  SocketOptions,
  WhatsAppIdentity,
  WhatsAppSocket,
} from '../socket.ts';
import { Connection } from './connection.ts';
import { Credentials } from './credentials.ts';
import { DeviceDirectory } from './devices.ts';
import { KeyCache, type SharedKeys } from './key-cache.ts';
import type { ClientIdentity } from './socket-config.ts';
import type { SessionState } from './wire.ts';

export interface SessionParts {
  shared: SharedKeys;
  client: ClientIdentity;
  log: Log;
  clock: Clock;
  random: () => number;
}

/** Changes that no message depends on are written together after this time. */
const LAZY_WRITE_MS = 5_000;
/** Longest that `close` takes, whatever the network and the store do. */
const CLOSE_MS = 1_900;
/** How WhatsApp ends the connection on which a device was linked. */
const AFTER_LINKING: readonly SocketClosed['code'][] = [515, 428];

/** A linked number, or one about to be linked, on the multi-device protocol. */
export class Session implements WhatsAppSocket {
  readonly #parts: SessionParts;
  readonly #options: SocketOptions;
  readonly #state: SessionState;
  readonly #done: Promise<void>;
  #resolveDone: () => void = () => undefined;
  #connection: Connection;
  #justLinked = false;
  #closing = false;
  #leaseLost = false;

  private constructor(parts: SessionParts, options: SocketOptions, state: SessionState) {
    this.#parts = parts;
    this.#options = options;
    this.#state = state;
    this.#done = new Promise((resolve) => {
      this.#resolveDone = resolve;
    });
    this.#connection = this.#connect();
  }

  /** @throws LeaseLostError, or what the store throws when the credentials cannot be read */
  static async open(parts: SessionParts, options: SocketOptions): Promise<Session> {
    let lose = () => {};
    const onLost = () => lose();
    const cache = new KeyCache({ store: options.keys, shared: parts.shared, lazyMs: LAZY_WRITE_MS, onLost });
    const credentials = await Credentials.load(options.keys, onLost);
    const directory = new DeviceDirectory(cache, parts.clock);
    const session = new Session(parts, options, { cache, credentials, directory });
    lose = () => session.#loseLease();
    return session;
  }

  requestPairingCode(phone: string): Promise<string> {
    return this.#connection.requestPairingCode(phone);
  }

  lookUp(phones: string[]): Promise<Map<string, WhatsAppIdentity | null>> {
    return this.#connection.lookUp(phones);
  }

  send(message: OutgoingMessage): Promise<{ sentAt: Date }> {
    return this.#connection.send(message);
  }

  setTyping(to: WhatsAppIdentity, typing: boolean): Promise<void> {
    return this.#connection.setTyping(to, typing);
  }

  async logout(): Promise<void> {
    await this.#connection.logOut();
    await this.#done;
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#connection.end('closed_by_us', 'closed');
    const late = new AbortController();
    await Promise.race([
      this.#done,
      sleep(CLOSE_MS, undefined, { signal: late.signal }).catch(() => undefined),
    ]);
    late.abort();
  }

  #connect(): Connection {
    const { handlers } = this.#options;
    const connection = new Connection({
      ...this.#parts,
      options: this.#options,
      state: this.#state,
      onLinked: (self) => {
        this.#justLinked = true;
        handlers.onLinked(self);
      },
    });
    void connection.closed.then((closed) => this.#ended(closed));
    return connection;
  }

  /** WhatsApp restarts the connection of a device that was just linked; every other end is reported. */
  async #ended(closed: SocketClosed): Promise<void> {
    if (this.#justLinked && !this.#closing && AFTER_LINKING.includes(closed.code)) {
      this.#justLinked = false;
      this.#connection = this.#connect();
      return;
    }
    await this.#settle();
    this.#options.handlers.onClosed(closed);
    this.#resolveDone();
  }

  /**
   * Writes what is left and waits for every write to end: one that landed after the session was opened anew would put
   * an old ratchet over a newer one.
   */
  async #settle(): Promise<void> {
    const { cache, credentials } = this.#state;
    if (!this.#leaseLost) await Promise.allSettled([cache.persist(), credentials.persist()]);
    cache.close();
    await Promise.all([cache.settle(), credentials.settle()]);
  }

  #loseLease(): void {
    if (this.#leaseLost) return;
    this.#leaseLost = true;
    this.#connection.end('lease_lost', 'another worker holds the session');
  }
}
