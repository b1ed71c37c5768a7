import type { Dispatcher } from 'undici';
import { outboundError, toOutboundError } from './outbound-error.ts';

export interface OutboundResponse {
  status: number;
  /** By lower-case name; repeated ones joined with commas. */
  headers: Record<string, string>;
  /** Its beginning, at most as long as was asked for. */
  body: Uint8Array;
  /** Whether there is more of the body. */
  truncated: boolean;
}

export interface ExchangeLimits {
  /** For everything: name, connection, headers and body. */
  timeoutMs: number;
  maxResponseBytes: number;
  signal: AbortSignal | undefined;
}

/** How far a body is read past what is kept, and for how long, so that the connection can be used again. */
const DRAIN_BYTES = 65_536;
const DRAIN_MS = 150;

/**
 * One request under way, told by undici how it goes. Its answer comes when its connection is free or ended, so that who
 * has so many requests at once has no more connections than that. Straight on the dispatcher: undici's own `request` makes a stream
 * of every body, which costs more than all the rest here.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly response: Promise<OutboundResponse>;
  readonly #limits: ExchangeLimits;
  readonly #timer: NodeJS.Timeout;
  #resolve: (response: OutboundResponse) => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;
  #controller: Dispatcher.DispatchController | undefined;
  /** Set once the exchange is given up from this side. */
  #ended: Error | undefined;
  #status = 0;
  #headers: Record<string, string> = {};
  #chunks: Buffer[] = [];
  #received = 0;
  #drain: NodeJS.Timeout | undefined;

  constructor(limits: ExchangeLimits) {
    this.#limits = limits;
    this.response = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#timer = setTimeout(() => this.#end(outboundError('timeout')), limits.timeoutMs);
    limits.signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (limits.signal?.aborted) this.#onAbort();
  }

  readonly #onAbort = () => this.#end(outboundError('aborted', this.#limits.signal?.reason));

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#ended !== undefined) controller.abort(this.#ended);
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200) return;
    this.#status = status;
    for (const [name, value] of Object.entries(headers)) {
      if (value !== undefined) this.#headers[name] = typeof value === 'string' ? value : value.join(', ');
    }
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const { maxResponseBytes } = this.#limits;
    const room = maxResponseBytes - this.#received;
    this.#received += chunk.length;
    if (room > 0) this.#chunks.push(room < chunk.length ? chunk.subarray(0, room) : chunk);
    if (!this.#truncated) return;
    const cut = () => this.#end(outboundError('too_large'));
    this.#drain ??= setTimeout(cut, DRAIN_MS);
    if (this.#received > maxResponseBytes + DRAIN_BYTES) cut();
  }

  /** Enough has come for an answer, whatever becomes of the rest. */
  get #truncated(): boolean {
    return this.#received > this.#limits.maxResponseBytes;
  }

  onResponseEnd(): void {
    this.#release();
    // undici frees the connection in the next turn of the event loop. A caller who goes on before it would have a second
    // one opened for it, and twice as many as it has requests at once.
    queueMicrotask(() => setImmediate(() => this.#answer()));
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    this.#release();
    if (this.#truncated) this.#answerOnceClosed();
    else this.#reject(toOutboundError(error, this.#controller !== undefined));
  }

  #answer(): void {
    const body = this.#chunks.length === 0 ? new Uint8Array() : Buffer.concat(this.#chunks);
    this.#resolve({ status: this.#status, headers: this.#headers, body, truncated: this.#truncated });
  }

  /** A connection that was ended closes after the callbacks of this turn of the event loop, before those of the next. */
  #answerOnceClosed(): void {
    setImmediate(() => setImmediate(() => this.#answer()));
  }

  #end(error: Error): void {
    this.#ended = error;
    this.#release();
    if (this.#truncated) this.#answerOnceClosed();
    else this.#reject(error);
    this.#controller?.abort(error);
  }

  #release(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#drain);
    this.#limits.signal?.removeEventListener('abort', this.#onAbort);
  }
}
