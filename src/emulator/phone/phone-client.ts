import type { Delivery } from '../network/delivery-queue.ts';
import type { Device } from '../network/device.ts';
import type { Emulation } from '../network/emulation.ts';
import type { Phone } from '../network/phone.ts';
import type { Realm } from '../network/realm.ts';
import { Lane } from '../state/lane.ts';
import { bootstrapCompanion } from './bootstrap.ts';
import type { PhoneContext } from './phone-context.ts';
import { markRead, noteReceipt, type ReadReceipt } from './receipts.ts';
import { receiveMessage } from './receive.ts';
import { answerRetry } from './retry.ts';
import { type OutgoingText, sendText } from './send.ts';
import { SignalSessions } from './signal-sessions.ts';

/** WhatsApp on a virtual phone: takes what is queued for it, one after the other, and writes to others. */
export class PhoneClient {
  readonly #context: PhoneContext;
  /** Deliveries at work or waiting for their time. */
  readonly #taken = new Set<Delivery>();

  constructor(emulation: Emulation, realm: Realm, phone: Phone) {
    this.#context = {
      emulation,
      realm,
      phone,
      sessions: new SignalSessions(phone),
      lane: new Lane(),
      peerMessages: new Map(),
      retries: new Map(),
    };
  }

  /** Looks at what is queued, or only at the one delivery that just came. */
  wake(delivery?: Delivery): void {
    const { phone } = this.#context;
    if (!phone.record.online) return;
    for (const waiting of delivery ? [delivery] : phone.queue.waiting()) this.#take(waiting);
  }

  sendText(text: OutgoingText): Promise<string> {
    return sendText(this.#context, text);
  }

  markRead(ids?: string[], type?: ReadReceipt): number {
    return markRead(this.#context, ids, type);
  }

  bootstrap(device: Device): Promise<void> {
    return bootstrapCompanion(this.#context, device);
  }

  /** Forgets every Signal session, as a phone does whose app was installed anew. */
  forgetSessions(): Promise<void> {
    return this.#context.lane.run(async () => this.#context.sessions.forgetAll());
  }

  /** Resolves when nothing is at work. */
  idle(): Promise<void> {
    return this.#context.lane.idle();
  }

  /** Gives up memory outside of JavaScript; the client is not used afterwards. */
  close(): void {
    this.#context.sessions.close();
  }

  #take(delivery: Delivery): void {
    if (this.#taken.has(delivery)) return;
    const delay = this.#delayOf(delivery);
    if (delay === undefined) return;
    this.#taken.add(delivery);
    if (delay > 0) this.#context.emulation.timers.after(delay, () => this.#retake(delivery));
    else this.#process(delivery);
  }

  /** The phone may have gone offline, or changed its manners, while the delivery waited. */
  #retake(delivery: Delivery): void {
    this.#taken.delete(delivery);
    this.wake(delivery);
  }

  #process(delivery: Delivery): void {
    const { emulation, lane, phone } = this.#context;
    emulation.timers.run(async () => {
      await lane
        .run(() => this.#handle(delivery))
        .finally(() => {
          phone.queue.remove(delivery);
          this.#taken.delete(delivery);
        });
    });
  }

  async #handle({ node }: Delivery): Promise<void> {
    if (this.#context.realm.erased) return;
    if (node.tag === 'message') await receiveMessage(this.#context, node);
    else if (node.attrs['type'] === 'retry') await answerRetry(this.#context, node);
    else noteReceipt(this.#context, node);
  }

  /** Milliseconds until the phone takes a delivery; `undefined`: not as long as it behaves so. */
  #delayOf({ node, queuedAt }: Delivery): number | undefined {
    const { phone, emulation } = this.#context;
    const { deliver } = phone.record.behavior;
    const isFromOthers = node.tag === 'message' && node.attrs['recipient'] === undefined;
    if (!isFromOthers || deliver === 'now') return 0;
    if (deliver === 'never') return undefined;
    return Math.max(0, queuedAt + deliver.after_ms - emulation.now().getTime());
  }
}
