import type {
  OpenSocket,
  OutgoingMessage,
  SocketClosed,
  SocketOptions,
  WhatsAppIdentity,
  WhatsAppSocket,
} from '../../../src/whatsapp/socket.ts';
import { SendError } from '../../../src/whatsapp/socket.ts';

type Answer = { sentAt: Date };

/** WhatsApp as a test plays it: it answers what it is told to, and remembers what it was asked. */
export class ScriptedSocket implements WhatsAppSocket {
  readonly sent: OutgoingMessage[] = [];
  readonly lookedUp: string[] = [];
  readonly typing: WhatsAppIdentity[] = [];
  isClosed = false;
  loggedOut = false;
  /** What becomes of a message; by default it is acknowledged. */
  onSend: (message: OutgoingMessage) => Promise<Answer> = async () => ({ sentAt: new Date() });
  /** Who a number is; by default it is known under a LID. */
  onLookUp: (phone: string) => WhatsAppIdentity | null = (phone) => ({ phone, lid: `9${phone}` });
  onTyping: () => void = () => undefined;
  onPairingCode: (phone: string) => Promise<string> = async () => 'ABCD1234';
  readonly options: SocketOptions | undefined;

  constructor(options?: SocketOptions) {
    this.options = options;
  }

  get handlers(): SocketOptions['handlers'] {
    if (this.options === undefined) throw new Error('this socket was not opened by a pool');
    return this.options.handlers;
  }

  async send(message: OutgoingMessage): Promise<Answer> {
    if (this.isClosed) throw new SendError('closed');
    this.sent.push(message);
    return this.onSend(message);
  }

  async lookUp(phones: string[]): Promise<Map<string, WhatsAppIdentity | null>> {
    this.lookedUp.push(...phones);
    return new Map(phones.map((phone) => [phone, this.onLookUp(phone)]));
  }

  async setTyping(to: WhatsAppIdentity): Promise<void> {
    this.typing.push(to);
    this.onTyping();
  }

  requestPairingCode(phone: string): Promise<string> {
    return this.onPairingCode(phone);
  }

  async logout(): Promise<void> {
    this.loggedOut = true;
    this.end(401);
  }

  async close(): Promise<void> {
    this.end('closed_by_us');
  }

  /** The connection ends. */
  end(code: SocketClosed['code']): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.options?.handlers.onClosed({ code, reason: 'as scripted' });
  }

  /** Texts sent, in the order they were put on the wire. */
  bodies(): string[] {
    return this.sent.map(({ content }) => content.body);
  }
}

/** Opens scripted sockets; `script` plays what happens on each. */
export class ScriptedNetwork {
  readonly sockets: ScriptedSocket[] = [];
  script: (socket: ScriptedSocket) => void | Promise<void> = () => undefined;

  readonly open: OpenSocket = async (options) => {
    const socket = new ScriptedSocket(options);
    this.sockets.push(socket);
    setImmediate(() => void this.script(socket));
    return socket;
  };

  /** The socket opened last. */
  get last(): ScriptedSocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error('no socket was opened');
    return socket;
  }
}
