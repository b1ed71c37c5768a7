import type { BinaryNode } from '@whiskeysockets/baileys';
import { SendError } from '../socket.ts';

interface Waiting {
  resolve(sentAt: Date): void;
  reject(error: SendError): void;
  timer?: NodeJS.Timeout;
}

/** Messages on the wire that the server has not acknowledged yet, by wire id. */
export class PendingAcks {
  readonly #waiting = new Map<string, Waiting>();
  readonly #timeoutMs: number;
  readonly #onSilence: (wroteAt: number) => void;

  /** @param onSilence called when a message's time is up, with when its bytes left (milliseconds since the epoch) */
  constructor(timeoutMs: number, onSilence: (wroteAt: number) => void) {
    this.#timeoutMs = timeoutMs;
    this.#onSilence = onSilence;
  }

  /**
   * Starts to wait for the ack of a message whose bytes are about to leave.
   * @returns the server's time; rejects with a {@link SendError}
   */
  expect(wireId: string): Promise<Date> {
    // The same id again is a retry of the same message: the older wait has lost its meaning.
    this.#waiting.get(wireId)?.reject(new SendError('unacknowledged'));
    const ack = new Promise<Date>((resolve, reject) => {
      const settle = () => {
        const waiting = this.#waiting.get(wireId);
        clearTimeout(waiting?.timer);
        if (waiting === entry) this.#waiting.delete(wireId);
      };
      const entry: Waiting = {
        resolve(sentAt) {
          settle();
          resolve(sentAt);
        },
        reject(error) {
          settle();
          reject(error);
        },
      };
      this.#waiting.set(wireId, entry);
    });
    // Whoever sends awaits it, but only after the bytes left.
    ack.catch(() => undefined);
    return ack;
  }

  /** The bytes left now: the time for the ack runs. */
  wrote(wireId: string, now: number): void {
    const waiting = this.#waiting.get(wireId);
    if (waiting === undefined) return;
    waiting.timer = setTimeout(() => {
      waiting.reject(new SendError('unacknowledged'));
      this.#onSilence(now);
    }, this.#timeoutMs);
  }

  /** The message did not leave after all. */
  forget(wireId: string, error: SendError): void {
    this.#waiting.get(wireId)?.reject(error);
  }

  /**
   * Takes an `<ack class="message">` in.
   * @returns the refusal, where the ack carries one and nobody was waiting for it
   */
  settle({ attrs }: BinaryNode): { wireId: string; wireCode: number } | undefined {
    const { id: wireId, error, t } = attrs;
    if (wireId === undefined) return undefined;
    const waiting = this.#waiting.get(wireId);
    const wireCode = error === undefined ? undefined : Number(error) || 0;
    if (waiting === undefined) return wireCode === undefined ? undefined : { wireId, wireCode };
    if (wireCode !== undefined) waiting.reject(new SendError('refused', { wireCode }));
    else waiting.resolve(new Date(Number(t) * 1000 || Date.now()));
    return undefined;
  }

  /** The connection is gone: what left may or may not have arrived. */
  close(): void {
    for (const waiting of this.#waiting.values()) waiting.reject(new SendError('unacknowledged'));
  }
}
