import pino from 'pino';
import type { RunningEmulator } from '../../../src/emulator/start.ts';
import { createOpenSocket } from '../../../src/whatsapp/baileys/open-socket.ts';
import type {
  InboundMessage,
  MessageContent,
  OpenSocket,
  Receipt,
  SocketClosed,
  SocketHandlers,
  WhatsAppSocket,
} from '../../../src/whatsapp/socket.ts';
import type { Control } from '../../emulator/support/control.ts';
import { until } from '../../emulator/support/until.ts';
import { MemoryKeyStore } from './memory-key-store.ts';

type Self = Parameters<SocketHandlers['onOpen']>[0];

let opener: OpenSocket | undefined;
export const logged: string[] = [];

/** The adapter, made once a test file as once a process. */
export function openerFor(emulator: RunningEmulator): OpenSocket {
  opener ??= createOpenSocket({
    log: pino({ level: 'debug' }, { write: (line: string) => void logged.push(line) }),
    rootKey: Buffer.from(emulator.rootPublicKey).toString('hex'),
  });
  return opener;
}

interface Times {
  connectTimeoutMs?: number;
  ackTimeoutMs?: number;
}

/** A session of the adapter with everything it reported. */
export class TestSession {
  readonly store: MemoryKeyStore;
  readonly events: string[] = [];
  readonly qrs: { text: string; expiresAt: Date }[] = [];
  readonly messages: InboundMessage[] = [];
  readonly batches: number[] = [];
  readonly receipts: Receipt[] = [];
  readonly refused: { wireId: string; wireCode: number }[] = [];
  readonly sent = new Map<string, MessageContent>();
  readonly #emulator: RunningEmulator;
  readonly #times: Required<Times>;
  linked: Self | undefined;
  opened: Self | undefined;
  closed: SocketClosed | undefined;
  socket: WhatsAppSocket | undefined;
  /** What the message handler does before it takes note of them. */
  beforeStore: (messages: InboundMessage[]) => Promise<void> = async () => undefined;
  beforeReceipts: () => Promise<void> = async () => undefined;
  knowsStored = true;

  constructor(emulator: RunningEmulator, store = new MemoryKeyStore(), times: Times = {}) {
    this.#emulator = emulator;
    this.store = store;
    this.#times = { connectTimeoutMs: 60_000, ackTimeoutMs: 60_000, ...times };
  }

  async start(): Promise<WhatsAppSocket> {
    this.opened = undefined;
    this.closed = undefined;
    this.socket = await openerFor(this.#emulator)({
      url: this.#emulator.wsUrl,
      keys: this.store,
      ...this.#times,
      handlers: this.#handlers(),
    });
    return this.socket;
  }

  /** Links to a virtual phone by QR code and waits until it can send. */
  async link(control: Control, phone: string): Promise<WhatsAppSocket> {
    const socket = await this.start();
    const qr = await until(() => this.qrs[0], 'a QR code');
    await control.scan(phone, qr.text);
    await this.untilOpen();
    return socket;
  }

  /** Opens what was linked before. */
  async open(): Promise<WhatsAppSocket> {
    const socket = await this.start();
    await this.untilOpen();
    return socket;
  }

  async untilOpen(): Promise<void> {
    await until(() => {
      if (this.closed !== undefined)
        throw new Error(`closed with ${this.closed.code}: ${this.closed.reason}`);
      return this.opened;
    }, 'an open connection');
  }

  untilClosed(timeoutMs?: number): Promise<SocketClosed> {
    return until(() => this.closed, 'the end of the connection', timeoutMs);
  }

  /** Another process takes over after this one was killed. */
  crash(): TestSession {
    const next = new TestSession(this.#emulator, this.store.crash(), this.#times);
    // A dead process answers nothing: nothing it still does may reach WhatsApp in an orderly way.
    void this.socket?.close();
    return next;
  }

  #handlers(): SocketHandlers {
    const note = (event: string) => this.events.push(event);
    return {
      onQr: (qr) => {
        note('qr');
        this.qrs.push(qr);
      },
      onLinked: (self) => {
        note('linked');
        this.linked = self;
      },
      onOpen: (self) => {
        note('open');
        this.opened = self;
      },
      onClosed: (closed) => {
        note('closed');
        this.closed = closed;
      },
      onMessages: async (messages) => {
        await this.beforeStore(messages);
        this.batches.push(messages.length);
        this.messages.push(...messages);
      },
      areStored: async (ids) => {
        const stored = new Set(this.messages.map(({ wireId }) => wireId));
        return new Set(this.knowsStored ? ids.filter((id) => stored.has(id)) : []);
      },
      onReceipts: async (receipts) => {
        await this.beforeReceipts();
        this.receipts.push(...receipts);
      },
      onRefused: async (refused) => {
        this.refused.push(refused);
      },
      loadSent: async (wireId) => this.sent.get(wireId),
    };
  }
}

let lastId = 0;

/** A text message with an id of its own. */
export function text(
  to: string,
  body: string,
  wireId = `3EB0${(++lastId).toString(16).toUpperCase().padStart(18, '0')}`,
) {
  return { wireId, to: { phone: to }, content: { type: 'text', body } } as const;
}
