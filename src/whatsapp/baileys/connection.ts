import { setMaxListeners } from 'node:events';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../platform/log/log.ts';
import {
  type OutgoingMessage,
  SendError,
  type SocketClosed,
  type SocketHandlers,
  type SocketOptions,
  type WhatsAppIdentity,
} from '../socket.ts';
import { closeReason } from './close-reason.ts';
import { dropTransport } from './drop-transport.ts';
import { identityOf, parseJid } from './jid.ts';
import { logOut } from './log-out.ts';
import { watchPairing } from './pairing.ts';
import { recipientJid } from './recipients.ts';
import type { ClientIdentity } from './socket-config.ts';
import { startTraffic, type Traffic } from './traffic.ts';
import { queryNumbers } from './usync.ts';
import { type OpenWire, openWire, type SessionState } from './wire.ts';

export type Self = Parameters<SocketHandlers['onOpen']>[0];

export interface ConnectionParts {
  options: SocketOptions;
  state: SessionState;
  client: ClientIdentity;
  log: Log;
  clock: Clock;
  random: () => number;
  onLinked: (self: Self) => void;
}

/** Time that the other end gets to close the WebSocket in good order. */
const GOODBYE_MS = 300;
/** Time that a handler under way gets to finish once the connection is over. */
const HANDLERS_MS = 1_000;

/** One connection to WhatsApp, from opening to the reason it ended. */
export class Connection {
  /** Resolves when nothing of the connection runs any more. */
  readonly closed: Promise<SocketClosed>;
  readonly #parts: ConnectionParts;
  readonly #open: OpenWire;
  readonly #traffic: Traffic;
  readonly #over = new AbortController();
  readonly #timers = new Set<NodeJS.Timeout>();
  #watchdog: NodeJS.Timeout | undefined;
  #verdict: SocketClosed | undefined;
  #resolveClosed: (closed: SocketClosed) => void = () => undefined;
  #resolveQr: () => void = () => undefined;
  readonly #qrShown: Promise<void>;
  #frameAt = 0;

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.#qrShown = new Promise((resolve) => {
      this.#resolveQr = resolve;
    });
    // Each send under way listens for the end.
    setMaxListeners(0, this.#over.signal);
    const { options, state, client, log, clock, random } = parts;
    this.#open = openWire({
      options,
      state,
      client,
      log,
      onClosing: () => this.#dropSoon(),
      onBroken: () => this.end(500, 'the server sent what cannot be read'),
    });
    this.#traffic = startTraffic({
      ...this.#open,
      options,
      state,
      clock,
      log,
      random,
      over: this.#over.signal,
      self: () => this.#self(),
      onSilence: (wroteAt) => {
        if (this.#frameAt < wroteAt) this.end('ack_timeout', 'nothing came since a message left');
      },
      onGaveUp: (why) => {
        if (why !== 'over') this.end(why, 'what was delivered could not be stored');
      },
    });
    this.#watch();
  }

  send(message: OutgoingMessage): Promise<{ sentAt: Date }> {
    return this.#traffic.sender.send(message);
  }

  async lookUp(phones: readonly string[]): Promise<Map<string, WhatsAppIdentity | null>> {
    const found = await this.#unlessClosed(queryNumbers(this.#open.wire, phones));
    for (const identity of found.values()) {
      if (identity?.phone !== undefined && identity.lid !== undefined) {
        await this.#open.mapping.note(identity.phone, identity.lid);
      }
    }
    return found;
  }

  async setTyping(to: WhatsAppIdentity, typing: boolean): Promise<void> {
    const jid = recipientJid(to);
    if (jid === undefined) return;
    // A connection that is gone shows no typing: nothing depends on it.
    await this.#open.wire.sendPresenceUpdate(typing ? 'composing' : 'paused', jid).catch(() => undefined);
  }

  async requestPairingCode(phone: string): Promise<string> {
    if (this.#parts.state.credentials.linked) throw new Error('the session is linked already');
    await this.#unlessClosed(this.#qrShown);
    return this.#open.wire.requestPairingCode(phone);
  }

  async logOut(): Promise<void> {
    const self = this.#parts.state.credentials.value.me?.id;
    if (self !== undefined) await logOut(this.#open.wire, self, this.closed);
    this.end(401, 'logged out');
    await this.closed;
  }

  /** Ends the connection for a reason of ours; the first reason counts. */
  end(code: SocketClosed['code'], reason: string): void {
    this.#verdict ??= { code, reason };
    void this.#open.wire.end(new Error(reason)).catch(() => undefined);
    this.#dropSoon();
  }

  #watch(): void {
    const { wire } = this.#open;
    const { options, state, clock, onLinked, log } = this.#parts;
    this.#armWatchdog();
    wire.ws.on('frame', () => {
      this.#frameAt = clock.now().getTime();
    });
    // Without a listener of its own Baileys would never say that the upgrade was refused.
    wire.ws.on('unexpected-response', (_request: unknown, response: { statusCode?: number }) => {
      this.end('upgrade_refused', `HTTP ${response.statusCode ?? 'error'}`);
    });
    wire.ev.on('creds.update', () => {
      state.credentials
        .persist()
        .catch((error: unknown) => log.warn({ err: error }, 'credentials were not stored'));
    });
    wire.ev.on('connection.update', ({ connection, lastDisconnect }) => {
      if (connection === 'open') this.#opened();
      if (connection === 'close') this.#finish(closeReason(lastDisconnect?.error));
    });
    watchPairing({
      wire,
      credentials: state.credentials,
      clock,
      onQr: (qr) => {
        clearTimeout(this.#watchdog);
        this.#resolveQr();
        options.handlers.onQr(qr);
      },
      onLinked: () => {
        this.#armWatchdog();
        onLinked(this.#self());
      },
      onNotStored: () => this.end('not_stored', 'the credentials of the pairing could not be stored'),
    });
  }

  #opened(): void {
    clearTimeout(this.#watchdog);
    this.#parts.options.handlers.onOpen(this.#self());
  }

  #armWatchdog(): void {
    clearTimeout(this.#watchdog);
    const fire = () => this.end('connect_timeout', 'no connection in time');
    this.#watchdog = setTimeout(fire, this.#parts.options.connectTimeoutMs);
  }

  /** Baileys is closing: it waits for the other end, and tells nobody meanwhile. */
  #dropSoon(): void {
    if (this.#timers.size > 0) return;
    const drop = setTimeout(() => dropTransport(this.#open.wire.ws), GOODBYE_MS);
    const giveUp = setTimeout(
      () => this.#finish({ code: 428, reason: 'connection dropped' }),
      2 * GOODBYE_MS,
    );
    this.#timers.add(drop).add(giveUp);
  }

  #finish(closed: SocketClosed): void {
    if (this.#over.signal.aborted) return;
    this.#over.abort();
    clearTimeout(this.#watchdog);
    for (const timer of this.#timers) clearTimeout(timer);
    dropTransport(this.#open.wire.ws);
    void this.#traffic.close(HANDLERS_MS).finally(() => this.#resolveClosed(this.#verdict ?? closed));
  }

  async #unlessClosed<T>(work: Promise<T>): Promise<T> {
    const ended = this.closed.then((): never => {
      throw new SendError('closed');
    });
    return Promise.race([work, ended]);
  }

  #self(): Self {
    const { me } = this.#parts.state.credentials.value;
    return {
      ...identityOf(me?.id, me?.lid),
      device: parseJid(me?.id)?.device ?? 0,
      ...(me?.name === undefined || me.name === '~' ? {} : { name: me.name }),
    };
  }
}
