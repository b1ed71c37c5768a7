import type { LaneMessages } from '../features/messages/lane.service.ts';
import type { HeldRow, SessionReports } from '../features/sessions/session-reports.service.ts';
import { backoffDelay } from '../lib/backoff.ts';
import { WakeSignal } from '../lib/wake-signal.ts';
import { isUnavailable } from '../platform/db/db.errors.ts';
import type { Log } from '../platform/log/log.ts';
import { LeaseLostError } from '../whatsapp/session-key-store.ts';
import type { OpenSocket, SocketClosed, SocketHandlers, WhatsAppSocket } from '../whatsapp/socket.ts';
import { inboundHandlers } from './inbound-handlers.ts';
import { type LaneParts, runLane } from './lane.ts';
import type { Lease } from './leases.system.ts';
import { answerPairing } from './pairing.ts';
import type { SessionKeyStores } from './session-key-store.ts';

export interface ConnectionParts extends LaneParts {
  openSocket: OpenSocket;
  url: string;
  keyStores: SessionKeyStores;
  reports: SessionReports;
  messages: LaneMessages;
  connectTimeoutMs: number;
  ackTimeoutMs: number;
  /** Links a sandbox session to a virtual phone, for sessions created with `auto_pair`. */
  autoPair: ((session: { accountId: string }, qr: string) => Promise<void>) | undefined;
}

/** Least time between two reads of the session's row that were asked for by looks. */
const ROW_READ_GAP_MS = 200;

type Self = Parameters<SocketHandlers['onOpen']>[0];

/** One connection of a held session, from opening the socket to the reason it closed. */
export class Connection {
  state: 'connecting' | 'pairing' | 'open' | 'closing' = 'connecting';
  wasOpen = false;
  wasLinked = false;
  showedQr = false;
  readonly #parts: ConnectionParts;
  readonly #lease: Lease;
  readonly #log: Log;
  readonly #wake = new WakeSignal();
  readonly #over = new AbortController();
  readonly #closed: Promise<SocketClosed>;
  #row: HeldRow;
  #resolveClosed: (closed: SocketClosed) => void = () => undefined;
  #socket: WhatsAppSocket | undefined;
  #lane: Promise<void> | undefined;
  #isLookPending = false;
  /** When the row was last read, in milliseconds since the epoch. */
  #rowReadAt = 0;
  /** Reports are written one after the other, so that statuses appear in the order they happened. */
  #reporting: Promise<unknown> = Promise.resolve();

  constructor(parts: ConnectionParts, lease: Lease, row: HeldRow) {
    this.#parts = parts;
    this.#lease = lease;
    this.#row = row;
    this.#log = parts.log.child({ session: lease.sessionId });
    this.#closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  /** Opens the socket and stays until it is closed, whoever closes it. */
  async run(stop: AbortSignal): Promise<SocketClosed> {
    const { keyStores, openSocket, url, connectTimeoutMs, ackTimeoutMs } = this.#parts;
    try {
      const keys = keyStores.of(this.#lease);
      this.#socket = await openSocket({
        url,
        keys,
        connectTimeoutMs,
        ackTimeoutMs,
        handlers: this.#handlers(),
      });
      if (stop.aborted) await this.close();
      // Where it opened before it was returned.
      if (this.state === 'open') this.#startLane();
      return await this.#closed;
    } catch (error) {
      if (error instanceof LeaseLostError) return { code: 'lease_lost', reason: 'the lease moved on' };
      throw error;
    } finally {
      this.#over.abort();
      await Promise.allSettled([this.#lane, this.#reporting, this.#socket?.close()]);
    }
  }

  look(): void {
    this.#wake.raise();
    if (this.#isLookPending) return;
    this.#isLookPending = true;
    const { clock } = this.#parts;
    // Most looks are for messages, and many come in a second.
    const delayMs = Math.max(0, this.#rowReadAt + ROW_READ_GAP_MS - clock.now().getTime());
    const read = () =>
      this.#report(() => {
        this.#isLookPending = false;
        return this.#readRow();
      });
    if (delayMs === 0) read();
    else clock.sleep(delayMs, this.#over.signal).then(read, () => undefined);
  }

  async close(): Promise<void> {
    this.state = 'closing';
    this.#over.abort();
    await this.#socket?.close();
  }

  #handlers(): SocketHandlers {
    return {
      onQr: (qr) => this.#report(() => this.#showQr(qr)),
      onLinked: (self) => {
        this.wasLinked = true;
        this.#report(async () => this.#need(await this.#parts.reports.linked(this.#lease, self)));
      },
      onOpen: (self) => this.#opened(self),
      onClosed: (closed) => {
        this.#over.abort();
        this.#resolveClosed(closed);
      },
      ...inboundHandlers(this.#parts, this.#lease),
    };
  }

  async #showQr(qr: { text: string; expiresAt: Date }): Promise<void> {
    const { reports, autoPair } = this.#parts;
    this.showedQr = true;
    if (this.state !== 'pairing')
      this.#need(await reports.status(this.#lease, { status: 'pairing', wanted: true }));
    this.state = 'pairing';
    this.#need(await reports.qr(this.#lease, qr));
    if (this.#row.auto_pair && autoPair !== undefined) await autoPair(this.#lease, qr.text);
    else await this.#readRow();
  }

  #opened(self: Self): void {
    this.state = 'open';
    this.wasOpen = true;
    this.#report(async () => {
      const { reports } = this.#parts;
      this.#need(await reports.linked(this.#lease, self));
      this.#need(await reports.status(this.#lease, { status: 'connected', wanted: true }));
      await this.#readRow();
    });
    this.#startLane();
  }

  #startLane(): void {
    const socket = this.#socket;
    if (socket === undefined || this.#lane !== undefined || this.#over.signal.aborted) return;
    this.#lane = runLane(this.#parts, {
      hold: this.#lease,
      socket,
      pacing: () => this.#row.pacing,
      linkedAt: () => this.#row.linked_at,
      wake: this.#wake,
      signal: this.#over.signal,
      onStalled: () => this.#end('ack_timeout'),
    });
  }

  /** Follows what the customer changed: settings, a pairing code, or a state that this socket cannot serve. */
  async #readRow(): Promise<void> {
    this.#rowReadAt = this.#parts.clock.now().getTime();
    const row = await this.#parts.reports.read(this.#lease);
    if (row === undefined) return this.#end('lease_lost');
    const changed = row.desired !== 'running' || row.generation !== this.#row.generation;
    this.#row = row;
    if (changed) return this.#end('closed_by_us');
    if (this.state === 'pairing' && this.#socket)
      await answerPairing(this.#parts.reports, this.#lease, row, this.#socket);
  }

  #need(held: boolean): void {
    if (!held) this.#end('lease_lost');
  }

  #report(work: () => Promise<void>): void {
    this.#reporting = this.#reporting.then(() => this.#write(work));
  }

  /** Tries for as long as the connection lives: a report that was lost would leave the session's row wrong for good. */
  async #write(work: () => Promise<void>): Promise<void> {
    const { clock, random } = this.#parts;
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        this.#log.warn({ err: error }, 'session report not written');
        if (!isUnavailable(error) || this.#over.signal.aborted) return;
        const delayMs = backoffDelay(attempt, { baseMs: 200, maxMs: 5_000 }, random);
        await clock.sleep(delayMs, this.#over.signal).catch(() => undefined);
      }
    }
  }

  /** Closes for a reason of ours; what the socket says on closing is then no news. */
  #end(code: SocketClosed['code']): void {
    this.state = 'closing';
    this.#over.abort();
    this.#resolveClosed({
      code,
      reason: code === 'ack_timeout' ? 'an acknowledgement did not come' : `${code}`,
    });
  }
}
