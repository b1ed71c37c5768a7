import { createHmac } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SandboxKeys, SandboxLog } from './sandbox-context.ts';

/** Tries the worst that the providers' documents allow: repeats, and any order. */
export interface Chaos {
  /** Share of webhooks that are sent twice. */
  repeats: number;
  random: () => number;
}

interface Webhook {
  provider: 'stripe' | 'razorpay';
  eventId: string;
  text: string;
}

export interface SenderOptions {
  /** Base address that gets `/webhooks/stripe` and `/webhooks/razorpay`; nothing is sent without it. */
  target: string | undefined;
  keys: SandboxKeys;
  now: () => number;
  log: SandboxLog;
  chaos?: Chaos | undefined;
}

/** Pauses before another try, in milliseconds; the providers' own, made quick. */
const PAUSES_MS = [200, 500, 1_000, 2_000, 5_000, 10_000];
/** Those that happen together leave together, so that their order can be mixed. */
const GATHER_MS = 20;
const TIMEOUT_MS = 5_000;

/** Sends signed webhooks. They may be sent again and arrive in any order, as the providers say of theirs. */
export class WebhookSender {
  readonly #options: SenderOptions;
  readonly #stop = new AbortController();
  readonly #running = new Set<Promise<void>>();
  #waiting: Webhook[] = [];
  #target: string | undefined;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#target = options.target;
    // Every webhook that waits to be sent again listens.
    setMaxListeners(0, this.#stop.signal);
  }

  set target(target: string) {
    this.#target = target;
  }

  send(webhook: Webhook): void {
    if (this.#target === undefined) return;
    this.#waiting.push(webhook);
    if (this.#waiting.length === 1) this.#run(this.#release());
  }

  /** Resolves when everything has been taken or given up. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.idle();
  }

  #run(work: Promise<void>): void {
    const running = work.catch(() => undefined).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async #release(): Promise<void> {
    await sleep(GATHER_MS);
    const batch = this.#waiting;
    this.#waiting = [];
    for (const webhook of this.#mix(batch)) this.#run(this.#deliver(webhook));
  }

  #mix(batch: Webhook[]): Webhook[] {
    const { chaos } = this.#options;
    if (chaos === undefined) return batch;
    const all = batch.flatMap((webhook) => (chaos.random() < chaos.repeats ? [webhook, webhook] : [webhook]));
    return all
      .map((webhook) => ({ webhook, place: chaos.random() }))
      .sort((a, b) => a.place - b.place)
      .map(({ webhook }) => webhook);
  }

  async #deliver(webhook: Webhook): Promise<void> {
    const { log } = this.#options;
    for (const pause of [...PAUSES_MS, undefined]) {
      if (this.#stop.signal.aborted || (await this.#post(webhook))) return;
      if (pause === undefined) break;
      await sleep(pause, undefined, { signal: this.#stop.signal });
    }
    log.warn({ provider: webhook.provider, event: webhook.eventId }, 'webhook given up');
  }

  async #post(webhook: Webhook): Promise<boolean> {
    try {
      const response = await fetch(`${this.#target}/webhooks/${webhook.provider}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...this.#sign(webhook) },
        body: webhook.text,
        signal: AbortSignal.any([this.#stop.signal, AbortSignal.timeout(TIMEOUT_MS)]),
      });
      await response.arrayBuffer();
      return response.ok;
    } catch {
      return false;
    }
  }

  #sign({ provider, eventId, text }: Webhook): Record<string, string> {
    const { keys, now } = this.#options;
    const hmac = (secret: string, message: string) =>
      createHmac('sha256', secret).update(message).digest('hex');
    if (provider === 'razorpay') {
      return {
        'x-razorpay-signature': hmac(keys.razorpayWebhookSecret, text),
        'x-razorpay-event-id': eventId,
      };
    }
    const at = now();
    return { 'stripe-signature': `t=${at},v1=${hmac(keys.stripeWebhookSecret, `${at}.${text}`)}` };
  }
}
