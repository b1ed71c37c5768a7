/**
 * The port to WhatsApp: what one linked number can do and what it reports, whichever library drives the wire.
 * Adapters live in `baileys/` (multi-device protocol) and, later, `cloud/` (Meta's Cloud API).
 */
import type { SessionKeyStore } from './session-key-store.ts';

/** A WhatsApp user under both of the names the network uses. */
export interface WhatsAppIdentity {
  /** Digits of the E.164 number without `+`; absent while WhatsApp shows only the LID. */
  phone?: string;
  /** The LID's user part (digits), the stable identity; absent for users that have none. */
  lid?: string;
}

/** What a message says. Grows with the message types that the API accepts. */
export interface TextContent {
  type: 'text';
  body: string;
}
export type MessageContent = TextContent;

/** The message that a reply quotes. */
export interface QuotedMessage {
  wireId: string;
  fromMe: boolean;
  /** Author, where it is not this session. */
  author?: WhatsAppIdentity;
  content?: MessageContent;
}

export interface OutgoingMessage {
  /** WhatsApp's message id: chosen by Pingr before the first try and the same in every retry. */
  wireId: string;
  to: WhatsAppIdentity;
  content: MessageContent;
  quoted?: QuotedMessage;
}

export interface InboundMessage {
  wireId: string;
  /** The other end of the conversation (for own messages: the recipient). */
  chat: WhatsAppIdentity;
  /** True for messages written on the phone itself or on another linked device. */
  fromMe: boolean;
  pushName?: string;
  /** WhatsApp's server time. */
  sentAt: Date;
  content: MessageContent | { type: 'unsupported'; kind: string };
  /** Wire id of the message that this one quotes. */
  quotedWireId?: string;
}

export type ReceiptStatus = 'delivered' | 'read' | 'played';

export interface Receipt {
  wireIds: string[];
  from: WhatsAppIdentity;
  status: ReceiptStatus;
  at: Date;
}

/**
 * Why a send did not succeed.
 * `not_sent`: nothing left, or nothing that counts (no ciphertext): try again under the same id.
 * `unacknowledged`: bytes left, no ack came in time: try again under the same id, on a new connection.
 * `refused`: the server's ack carried an error, in `wireCode`.
 * `closed`: the socket is gone.
 */
export type SendFailure = 'not_sent' | 'unacknowledged' | 'refused' | 'closed';

export class SendError extends Error {
  override readonly name = 'SendError';
  readonly failure: SendFailure;
  /** WhatsApp's number in the ack (463, 479, …). */
  readonly wireCode: number | undefined;

  constructor(failure: SendFailure, options: { wireCode?: number; cause?: unknown } = {}) {
    super(`send ${failure}${options.wireCode === undefined ? '' : ` (${options.wireCode})`}`, {
      cause: options.cause,
    });
    this.failure = failure;
    this.wireCode = options.wireCode;
  }
}

/** How a connection ended, as the wire said it; `disconnect.ts` decides what follows. */
export interface SocketClosed {
  /**
   * Baileys' status code (401, 408, 428, 440, 515, …) or one of ours for what Baileys does not report.
   * `ack_timeout`: the link carried nothing back. `not_stored`: a handler kept rejecting.
   */
  code:
    | number
    | 'ack_timeout'
    | 'closed_by_us'
    | 'connect_timeout'
    | 'lease_lost'
    | 'not_stored'
    | 'untrusted_server'
    | 'upgrade_refused';
  /** Short text from the wire, safe to log. */
  reason: string;
}

/**
 * What a socket reports. Handlers that return a promise are awaited: WhatsApp gets its acknowledgement only after
 * the promise resolved. A handler that rejects is called again for about half a minute; then the socket closes with
 * `not_stored`, and what was not stored is delivered again on the next one. A handler must not wait for a `send` of its
 * own socket: a message to someone whose message is not committed yet waits for the commit.
 */
export interface SocketHandlers {
  /** A QR code to show; a new one comes before `expiresAt`. */
  onQr(qr: { text: string; expiresAt: Date }): void;
  /** Pairing finished; the connection restarts by itself before it is open. */
  onLinked(self: WhatsAppIdentity & { name?: string; device: number }): void;
  /** Logged in and able to send. */
  onOpen(self: WhatsAppIdentity & { name?: string; device: number }): void;
  /** The last call on a socket. */
  onClosed(closed: SocketClosed): void;
  onMessages(messages: InboundMessage[]): Promise<void>;
  /**
   * Which of these messages are committed already. Asked when WhatsApp repeats a ciphertext that was opened before: the
   * message is then acknowledged, while one that is unknown is asked for again at its sender. Without this handler all
   * are asked for again, and come through `onMessages` a second time under the same id.
   */
  areStored?(wireIds: string[]): Promise<ReadonlySet<string>>;
  onReceipts(receipts: Receipt[]): Promise<void>;
  /** The server's error ack for a message whose send already resolved or is unknown to this process. */
  onRefused(refused: { wireId: string; wireCode: number }): Promise<void>;
  /** Content of a message this session sent, for WhatsApp's retry receipts; `undefined` when it is gone. */
  loadSent(wireId: string): Promise<MessageContent | undefined>;
}

export interface SocketOptions {
  /** `ws://` or `wss://` address of the multi-device server. */
  url: string;
  keys: SessionKeyStore;
  handlers: SocketHandlers;
  /** Longest wait from start to `onQr` or `onOpen` before the watchdog closes with `connect_timeout`. */
  connectTimeoutMs: number;
  /** Longest wait for the server's ack of a message. */
  ackTimeoutMs: number;
}

export interface WhatsAppSocket {
  /**
   * Asks for a pairing code for the number (digits). Only before the session is linked.
   * @returns 8 characters for the user to type on the phone.
   */
  requestPairingCode(phone: string): Promise<string>;
  /**
   * Looks numbers up on WhatsApp (digits → identity, or `null` where the number is not on WhatsApp).
   * @throws Error when the server gave no answer; nothing may be concluded then.
   */
  lookUp(phones: string[]): Promise<Map<string, WhatsAppIdentity | null>>;
  /**
   * Sends, and resolves with the server's time once its ack came.
   * Calls of one socket are put on the wire one after the other in call order; acks may be awaited together.
   * @throws SendError
   */
  send(message: OutgoingMessage): Promise<{ sentAt: Date }>;
  /** Shows or hides "typing…" to the recipient. Best effort. */
  setTyping(to: WhatsAppIdentity, typing: boolean): Promise<void>;
  /** Unlinks this device at WhatsApp. The socket closes afterwards. */
  logout(): Promise<void>;
  /** Closes without logging out; resolves when the connection is gone and `onClosed` was called. */
  close(): Promise<void>;
}

export type OpenSocket = (options: SocketOptions) => Promise<WhatsAppSocket>;
