import './quiet-libsignal.ts';
import makeWASocket, {
  type AuthenticationState,
  type BaileysEventMap,
  type BinaryNode,
  BufferJSON,
  initAuthCreds,
  makeCacheableSignalKeyStore,
  type SignalDataSet,
  type SignalDataTypeMap,
  type SignalKeyStore,
  type UserFacingSocketConfig,
  WA_CERT_DETAILS,
  type WASocket,
} from '@whiskeysockets/baileys';
import pino from 'pino';
import { until } from './until.ts';

const logger = pino({ level: process.env['BAILEYS_LOG'] ?? 'silent' });

type StoredKeys = { [T in keyof SignalDataTypeMap]?: Record<string, SignalDataTypeMap[T] | null> };

/** A key store in memory, as Baileys' users write their own. */
function memoryKeys(): SignalKeyStore {
  const stored: StoredKeys = {};
  return {
    get<T extends keyof SignalDataTypeMap>(type: T, ids: string[]) {
      const found: Record<string, SignalDataTypeMap[T]> = {};
      for (const id of ids) {
        const value = stored[type]?.[id];
        if (value) found[id] = value;
      }
      return found;
    },
    set(data: SignalDataSet) {
      for (const [type, entries] of Object.entries(data)) {
        const known = Object.entries(stored).find(([kept]) => kept === type)?.[1];
        if (known) Object.assign(known, entries);
        else Object.assign(stored, { [type]: { ...entries } });
      }
    },
  };
}

/** An unmodified Baileys with its state in memory, and a record of what it reported. */
export class RawBaileys {
  readonly auth: AuthenticationState;
  readonly #url: string;
  readonly #config: Partial<UserFacingSocketConfig>;
  #socket: WASocket | undefined;
  /** Everything reported since the start, over all connections. */
  readonly updates: BaileysEventMap['connection.update'][] = [];
  readonly messages: (BaileysEventMap['messages.upsert']['messages'][number] & { upsert: string })[] = [];
  readonly messageUpdates: BaileysEventMap['messages.update'] = [];
  readonly presences: BaileysEventMap['presence.update'][] = [];
  /** Stanzas of the server, as they came. */
  readonly acks: BinaryNode[] = [];
  readonly receipts: BinaryNode[] = [];
  readonly notifications: BinaryNode[] = [];

  constructor(
    trust: { wsUrl: string; rootPublicKey: Uint8Array },
    config: Partial<UserFacingSocketConfig> = {},
  ) {
    WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(trust.rootPublicKey);
    this.#url = trust.wsUrl;
    this.#config = config;
    const keys = makeCacheableSignalKeyStore(memoryKeys(), logger);
    this.auth = { creds: initAuthCreds(), keys };
  }

  get socket(): WASocket {
    if (!this.#socket) throw new Error('not connected');
    return this.#socket;
  }

  /** The QR code shown now. */
  get qr(): string | undefined {
    return this.updates.findLast(({ qr }) => qr !== undefined)?.qr;
  }

  /** Status code of the last close. */
  get closedWith(): number | undefined {
    const error = this.updates.findLast(({ connection }) => connection === 'close')?.lastDisconnect?.error;
    return error && 'output' in error ? error.output.statusCode : undefined;
  }

  /** Opens a connection; the former one is left alone. */
  connect(): this {
    const socket = makeWASocket({
      auth: this.auth,
      waWebSocketUrl: this.#url,
      logger,
      defaultQueryTimeoutMs: 60_000,
      connectTimeoutMs: 60_000,
      getMessage: async ({ id }) => this.messages.find(({ key }) => key.id === id)?.message ?? undefined,
      ...this.#config,
    });
    this.#socket = socket;
    socket.ev.on('creds.update', (update) => Object.assign(this.auth.creds, update));
    socket.ev.on('connection.update', (update) => this.updates.push(update));
    socket.ev.on('messages.upsert', ({ messages, type }) =>
      this.messages.push(...messages.map((message) => Object.assign(message, { upsert: type }))),
    );
    socket.ev.on('messages.update', (updates) => this.messageUpdates.push(...updates));
    socket.ev.on('presence.update', (update) => this.presences.push(update));
    socket.ws.on('CB:ack,class:message', (node: BinaryNode) => this.acks.push(node));
    socket.ws.on('CB:receipt', (node: BinaryNode) => this.receipts.push(node));
    socket.ws.on('CB:notification', (node: BinaryNode) => this.notifications.push(node));
    return this;
  }

  /** Connects and resolves once it is logged in. */
  async open(): Promise<this> {
    const before = this.updates.length;
    this.connect();
    await until(() => this.updates.slice(before).some(({ connection }) => connection === 'open'), 'open');
    return this;
  }

  /** Connects, lets `scan` link the QR code it shows, and resolves once it is logged in. */
  async link(scan: (qr: string) => Promise<unknown>): Promise<this> {
    this.connect();
    const qr = await until(() => this.qr, 'a QR code');
    await scan(qr);
    await until(() => this.closedWith === 515, 'restart');
    await this.open();
    // A client that leaves before its first synchronisation is over holds events back for 20 s the next time.
    await until(() => this.auth.creds.accountSyncCounter > 0, 'the first synchronisation');
    return this;
  }

  /** Resolves with the code the connection closes with. */
  closed(): Promise<number> {
    return until(() => this.closedWith, 'close');
  }

  /** Closes without logging out. */
  async close(): Promise<void> {
    await this.#socket?.end(undefined);
  }

  /** A copy of the credentials, as an application would have stored them. */
  snapshot(): unknown {
    return JSON.parse(JSON.stringify(this.auth.creds, BufferJSON.replacer), BufferJSON.reviver);
  }

  /** Texts received from others, in order. */
  get texts(): (string | null | undefined)[] {
    return this.messages
      .filter(({ key }) => !key.fromMe)
      .map(({ message }) => message?.conversation ?? message?.extendedTextMessage?.text);
  }
}
