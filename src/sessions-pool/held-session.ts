import type { LaneMessages } from '../features/messages/lane.service.ts';
import type { HeldRow, SessionReports } from '../features/sessions/session-reports.service.ts';
import { backoffDelay } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import { WakeSignal } from '../lib/wake-signal.ts';
import type { Log } from '../platform/log/log.ts';
import { type AfterClose, afterClose } from '../whatsapp/disconnect.ts';
import type { SocketClosed } from '../whatsapp/socket.ts';
import { Connection, type ConnectionParts } from './connection.ts';
import type { Lease } from './leases.system.ts';
import type { ReconnectGate } from './reconnect-gate.ts';
import { retire } from './retire.ts';

export interface HeldSessionParts extends ConnectionParts {
  reports: SessionReports;
  messages: LaneMessages;
  gate: ReconnectGate;
  clock: Clock;
  random: () => number;
  log: Log;
  /** Stores the back-off where the next owner finds it. */
  recordAttempts: (lease: Lease, attempts: number, delayMs: number) => Promise<void>;
  recordGeneration: (lease: Lease, generation: number) => Promise<void>;
}

const RECONNECT = { baseMs: 1_000, maxMs: 5 * 60_000 };
/** Rounds of QR codes that nobody scanned before the session stops asking. */
const MAX_PAIRING_ROUNDS = 3;
/** Connections in a row that ended before they were open, after which even those that may resume at once wait. */
const MAX_FRUITLESS = 3;

/** A session that this worker holds: keeps it connected, and ends when it needs no socket or the lease is lost. */
export class HeldSession {
  readonly lease: Lease;
  /** Resolves when nothing of the session runs here any more. */
  readonly done: Promise<void>;
  readonly #parts: HeldSessionParts;
  readonly #log: Log;
  readonly #stop = new AbortController();
  readonly #looked = new WakeSignal();
  #connection: Connection | undefined;
  #pairingRounds = 0;
  #fruitless = 0;
  #resumed = false;
  #attempts: number;
  /** Whether the connection that ended last got as far as a QR code. */
  #showedQr = false;

  constructor(parts: HeldSessionParts, lease: Lease) {
    this.#parts = parts;
    this.lease = lease;
    this.#attempts = lease.attempts;
    this.#log = parts.log.child({ session: lease.sessionId, epoch: lease.epoch });
    this.done = this.#run();
  }

  /** For metrics. */
  get state(): string {
    return this.#connection?.state ?? 'waiting';
  }

  /** The row, or the messages, may have changed: look now. */
  look(): void {
    this.#looked.raise();
    this.#connection?.look();
  }

  /** Closes without logging out; resolves when everything in flight ended. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#connection?.close();
    await this.done;
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        await this.#parts.gate.enter(this.#stop.signal);
        const row = await this.#parts.reports.read(this.lease);
        if (row === undefined || this.#stop.signal.aborted) return;
        if (row.desired !== 'running') return await retire(this.#parts, this.lease, row, this.#stop.signal);
        await this.#parts.recordGeneration(this.lease, row.generation);
        const closed = await this.#connect(row);
        if (!(await this.#continueAfter(closed, row.generation))) return;
      } catch (error) {
        this.#log.warn({ err: error }, 'session: could not go on, trying again');
        await this.#sleep(backoffDelay(++this.#attempts, { baseMs: 500, maxMs: 10_000 }, this.#parts.random));
      }
    }
  }

  async #connect(row: HeldRow): Promise<SocketClosed> {
    const unnoticed = this.#resumed && row.status === 'connected';
    this.#resumed = false;
    if (row.phone !== null && !unnoticed) {
      const held = await this.#parts.reports.status(this.lease, { status: 'connecting', wanted: true });
      if (!held) return { code: 'lease_lost', reason: 'the lease moved on' };
    }
    const connection = new Connection(this.#parts, this.lease, row);
    this.#connection = connection;
    try {
      const closed = await connection.run(this.#stop.signal);
      if (connection.wasOpen) this.#attempts = 0;
      const fruitful = connection.wasOpen || connection.wasLinked;
      this.#fruitless = fruitful ? 0 : this.#fruitless + 1;
      if (fruitful) this.#pairingRounds = 0;
      else if (connection.showedQr) this.#pairingRounds++;
      this.#showedQr = connection.showedQr;
      return closed;
    } finally {
      this.#connection = undefined;
    }
  }

  /** Applies the table of close codes. @returns false when the session needs no socket until the customer acts. */
  async #continueAfter(closed: SocketClosed, generation: number): Promise<boolean> {
    const { reports, metrics } = this.#parts;
    if (this.#stop.signal.aborted || closed.code === 'lease_lost') return false;
    const now = await reports.read(this.lease);
    if (now === undefined) return false;
    if (now.desired !== 'running' || now.generation !== generation) {
      this.#pairingRounds = 0;
      return true;
    }

    const decision = afterClose(closed);
    metrics.disconnected(String(closed.code), decision.next !== 'stop');
    this.#log.info({ closed: closed.code, reason: closed.reason, next: decision.next }, 'connection closed');
    if (decision.next === 'resume' && this.#fruitless < MAX_FRUITLESS) {
      this.#resumed = true;
      return true;
    }
    if (decision.next === 'stop') {
      await this.#stopAfter(decision, now.phone);
      return false;
    }
    if (now.phone === null && this.#pairingRounds >= MAX_PAIRING_ROUNDS) {
      await this.#giveUpPairing();
      return false;
    }
    await this.#backOff(now, decision);
    return true;
  }

  async #stopAfter({ status, code, detail }: AfterClose, phone: string | null): Promise<void> {
    const { reports, messages } = this.#parts;
    // A ban for a time ends by itself, and the link outlives it.
    const isLinkGone =
      status === 'logged_out' || (status === 'banned' && code !== 'session.temporarily_banned');
    if (isLinkGone) {
      await reports.eraseLink(this.lease);
      await messages.failQueued(this.lease, { code: 'message.session_closed', detail });
    }
    const end = { status, code, detail };
    if (phone === null) await reports.status(this.lease, { ...end, wanted: false });
    else await reports.ended(this.lease, { ...end, phone });
  }

  async #giveUpPairing(): Promise<void> {
    const detail = 'Nobody scanned the QR code or typed the pairing code. Restart the session to try again.';
    const code = 'session.pairing_timed_out';
    await this.#parts.reports.status(this.lease, { status: 'failed', code, detail, wanted: false });
  }

  /** Waits before the next connection; a restart, a logout or a deletion ends the wait. */
  async #backOff(row: HeldRow, { code, detail }: AfterClose): Promise<void> {
    const { reports, recordAttempts, random, clock } = this.#parts;
    const delayMs = backoffDelay(++this.#attempts, RECONNECT, random);
    const status = row.phone === null ? 'starting' : 'disconnected';
    // A code that nobody scanned in time is no trouble: the next one follows.
    if (row.phone !== null || !this.#showedQr)
      await reports.status(this.lease, { status, code, detail, wanted: true });
    await recordAttempts(this.lease, this.#attempts, delayMs);
    const until = clock.now().getTime() + delayMs;
    for (let left = delayMs; left > 0 && !this.#stop.signal.aborted; left = until - clock.now().getTime()) {
      await this.#sleep(left);
      const now = await reports.read(this.lease);
      if (now === undefined || now.desired !== 'running' || now.generation !== row.generation) return;
    }
  }

  /** Waits, but a look ends the wait. */
  async #sleep(ms: number): Promise<void> {
    const over = new AbortController();
    const { signal } = this.#stop;
    const end = () => over.abort();
    signal.addEventListener('abort', end, { once: true });
    await Promise.race([
      this.#parts.clock.sleep(ms, over.signal).catch(() => undefined),
      this.#looked.wait(over.signal),
    ]);
    signal.removeEventListener('abort', end);
    over.abort();
  }
}
