import { writeFileSync } from 'node:fs';
import makeWASocket, {
  type AuthenticationCreds,
  BufferJSON,
  generateMessageIDV2,
  initAuthCreds,
  makeCacheableSignalKeyStore,
  type SignalKeyStore,
  type WASocket,
} from '@whiskeysockets/baileys';
import pino from 'pino';
import { fileKeys, memoryKeys, readSession, type StoredSession } from './keys.ts';

const logger = pino({ level: 'silent' });

type Creds = AuthenticationCreds;

/** One linked number on an unmodified Baileys, as its users write it. */
export class RawSession {
  readonly #creds: Creds;
  readonly #keys: SignalKeyStore;
  readonly #stored: StoredSession<Creds> | undefined;
  readonly #url: string;
  readonly #acks = new Map<string, () => void>();
  #socket: WASocket | undefined;

  private constructor(url: string, creds: Creds, keys: SignalKeyStore, stored?: StoredSession<Creds>) {
    this.#url = url;
    this.#creds = creds;
    this.#keys = keys;
    this.#stored = stored;
  }

  static fresh(url: string): RawSession {
    const stored = { creds: initAuthCreds(), keys: {} };
    return new RawSession(url, stored.creds, memoryKeys(stored.keys), stored);
  }

  /** A linked session out of its file, with its keys in memory or left in the file. */
  static load(url: string, file: string, place: 'memory' | 'file'): RawSession {
    const stored = readSession<Creds>(file);
    if (place === 'file') return new RawSession(url, stored.creds, fileKeys(file));
    return new RawSession(url, stored.creds, memoryKeys(stored.keys), stored);
  }

  save(file: string): void {
    writeFileSync(file, JSON.stringify(this.#stored, BufferJSON.replacer));
  }

  /** Digits of the linked number. */
  get phone(): string {
    return (this.#creds.me?.id ?? '').split(/[:@]/)[0] ?? '';
  }

  /** Connects and resolves once logged in. */
  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#connect().ev.on('connection.update', ({ connection, lastDisconnect }) => {
        if (connection === 'open') resolve();
        if (connection === 'close') reject(lastDisconnect?.error ?? new Error('closed'));
      });
    });
  }

  /** Links to a phone that `scan` holds up to the QR code. */
  async link(scan: (qr: string) => Promise<void>): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#connect().ev.on('connection.update', ({ qr, connection }) => {
        if (qr !== undefined) scan(qr).catch(reject);
        // WhatsApp restarts the connection that a device was linked on.
        if (connection === 'close') resolve();
      });
    });
    await this.open();
    while (this.#creds.accountSyncCounter === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  async close(): Promise<void> {
    await this.#socket?.end(undefined);
  }

  /** Sends a text and resolves with the server's ack. */
  async send(to: string, text: string): Promise<void> {
    if (this.#socket === undefined) throw new Error('not connected');
    const messageId = generateMessageIDV2(this.#creds.me?.id);
    const acknowledged = new Promise<void>((resolve) => this.#acks.set(messageId, resolve));
    await this.#socket.sendMessage(`${to}@s.whatsapp.net`, { text }, { messageId });
    await acknowledged;
  }

  #connect(): WASocket {
    const keys = makeCacheableSignalKeyStore(this.#keys, logger);
    const auth = { creds: this.#creds, keys };
    const socket = makeWASocket({ auth, waWebSocketUrl: this.#url, logger });
    socket.ev.on('creds.update', (update) => Object.assign(this.#creds, update));
    socket.ws.on('CB:ack,class:message', ({ attrs }: { attrs: Record<string, string> }) => {
      const id = attrs['id'] ?? '';
      this.#acks.get(id)?.();
      this.#acks.delete(id);
    });
    this.#socket = socket;
    return socket;
  }
}
