import { z } from 'zod';
import type { WireNode } from '../wire/node.ts';
import { DeliveryQueue } from './delivery-queue.ts';
import type { Emulation } from './emulation.ts';
import type { Identity } from './identity.ts';
import { type OneTimePreKey, PreKeyPool } from './pre-key-pool.ts';
import type { ScopedState } from './scoped-state.ts';

const base64 = z.codec(
  z.base64(),
  z.custom<Uint8Array>((value) => value instanceof Uint8Array),
  {
    decode: (text) => Uint8Array.from(Buffer.from(text, 'base64')),
    encode: (bytes) => Buffer.from(bytes).toString('base64'),
  },
);

/** What the server knows of a companion. */
export const deviceRecordSchema = z.object({
  id: z.int(),
  keyIndex: z.int(),
  /** The key by which a login is recognised. */
  noiseKey: base64,
  identity: base64,
  registrationId: z.int(),
  signedPreKey: z.object({ id: z.int(), publicKey: base64, signature: base64 }),
  linkedAt: z.iso.datetime(),
  /** Refused at login. */
  banned: z.boolean(),
  /** The phone has sent what a new companion needs. */
  bootstrapped: z.boolean(),
  preKeysTaken: z.int(),
});
export type DeviceRecord = z.output<typeof deviceRecordSchema>;

/** The connection of a companion, as the network sees it. */
export interface DeviceLink {
  send(node: WireNode): void;
  /** Sends a last stanza and closes. */
  end(node: WireNode): void;
  /** Ends without a word. */
  cut(): void;
}

export interface KeyBundle {
  registrationId: number;
  identity: Uint8Array;
  signedPreKey: { id: number; publicKey: Uint8Array; signature: Uint8Array };
  preKey?: OneTimePreKey;
}

/** A linked device: its keys, what is on its way to it, and its connection if it has one. */
export class Device {
  readonly owner: Identity;
  readonly record: DeviceRecord;
  readonly queue: DeliveryQueue;
  readonly preKeys: PreKeyPool;
  /** The newest connection that logged in. */
  link: DeviceLink | undefined;
  /** Asked for deliveries on {@link link}. */
  active = false;
  /** Shows itself as available. */
  available = false;
  readonly #state: ScopedState;

  constructor(emulation: Emulation, state: ScopedState, owner: Identity, record: DeviceRecord) {
    this.owner = owner;
    this.record = record;
    this.#state = state;
    this.queue = new DeliveryQueue(emulation, state, `queue/${owner.number}/${record.id}`);
    this.preKeys = new PreKeyPool(record.preKeysTaken);
  }

  get id(): number {
    return this.record.id;
  }

  get online(): boolean {
    return this.link !== undefined;
  }

  /** Hands a stanza over until the device acknowledges it: now where it listens, else at its next login. */
  deliver(node: WireNode): void {
    this.queue.add(node);
    if (this.active) this.link?.send(node);
  }

  /** Hands over what is not worth keeping; a device that does not listen never gets it. */
  deliverOnce(node: WireNode): void {
    if (this.active) this.link?.send(node);
  }

  /** Keys for a new session with this device; takes a one-time key away where there is one. */
  takeKeyBundle(): KeyBundle {
    const { registrationId, identity, signedPreKey } = this.record;
    const preKey = this.preKeys.take();
    if (preKey) this.save();
    return { registrationId, identity, signedPreKey, ...(preKey && { preKey }) };
  }

  /** Adds uploaded one-time keys. */
  addPreKeys(keys: OneTimePreKey[]): void {
    this.preKeys.add(keys);
    this.save();
    this.#state.put(`prekeys/${this.owner.number}/${this.id}`, () => this.preKeys.serialize());
  }

  save(): void {
    const key = `device/${this.owner.number}/${this.id}`;
    this.record.preKeysTaken = this.preKeys.taken;
    this.#state.putJson(key, () => deviceRecordSchema.encode(this.record));
  }

  /** Forgets everything about the device. */
  erase(): void {
    this.queue.clear();
    this.#state.delete(`device/${this.owner.number}/${this.id}`);
    this.#state.delete(`prekeys/${this.owner.number}/${this.id}`);
  }
}
