import { encodeNode, type WireNode } from '../wire/node.ts';
import type { Emulation } from './emulation.ts';
import { type ScopedState, sequenceKey } from './scoped-state.ts';

/** A stanza on its way to one device. */
export interface Delivery {
  sequence: number;
  node: WireNode;
  /** Milliseconds since the epoch. */
  queuedAt: number;
}

/** Stanzas for one device, kept in order until the device acknowledges them. */
export class DeliveryQueue {
  readonly #emulation: Emulation;
  readonly #state: ScopedState;
  readonly #path: string;
  readonly #waiting = new Map<number, Delivery>();
  /** Oldest first, by what acknowledges them. */
  readonly #byKey = new Map<string, Delivery[]>();

  constructor(emulation: Emulation, state: ScopedState, path: string) {
    this.#emulation = emulation;
    this.#state = state;
    this.#path = path;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Puts a stanza at the end. */
  add(node: WireNode): Delivery {
    const queuedAt = this.#emulation.now().getTime();
    const delivery = { sequence: this.#emulation.nextSequence(), node, queuedAt };
    this.#insert(delivery);
    this.#state.put(this.#key(delivery), () => encodeNode(node), true);
    return delivery;
  }

  /** Takes a stanza back in that was stored before a restart. */
  restore(sequence: number, node: WireNode): void {
    this.#insert({ sequence, node, queuedAt: this.#emulation.now().getTime() });
  }

  /** Removes the oldest stanza that this acknowledges. */
  acknowledge(key: string): Delivery | undefined {
    const delivery = this.#byKey.get(key)?.[0];
    if (delivery) this.remove(delivery);
    return delivery;
  }

  remove(delivery: Delivery): void {
    if (!this.#waiting.delete(delivery.sequence)) return;
    const key = acknowledgementKey(delivery.node.tag, delivery.node.attrs);
    const rest = (this.#byKey.get(key) ?? []).filter((other) => other !== delivery);
    if (rest.length > 0) this.#byKey.set(key, rest);
    else this.#byKey.delete(key);
    this.#state.delete(this.#key(delivery));
  }

  /** What waits, oldest first. */
  waiting(): Delivery[] {
    return [...this.#waiting.values()];
  }

  clear(): void {
    for (const delivery of this.waiting()) this.remove(delivery);
  }

  #insert(delivery: Delivery): void {
    this.#waiting.set(delivery.sequence, delivery);
    const key = acknowledgementKey(delivery.node.tag, delivery.node.attrs);
    const same = this.#byKey.get(key);
    if (same) same.push(delivery);
    else this.#byKey.set(key, [delivery]);
  }

  #key({ sequence }: Delivery): string {
    return `${this.#path}/${sequenceKey(sequence)}`;
  }
}

/** What acknowledges a stanza: messages by id, receipts by id and type, others by id. */
export function acknowledgementKey(tag: string, { id, type }: { id?: string; type?: string }): string {
  return tag === 'receipt' ? `receipt:${id}:${type ?? ''}` : `${tag}:${id}`;
}
