import { z } from 'zod';
import { generateKeyPair } from '../crypto/curve.ts';
import type { WireNode } from '../wire/node.ts';
import { AppState } from './app-state.ts';
import { behaviorSchema, ORDINARY_BEHAVIOR } from './behavior.ts';
import { type Delivery, DeliveryQueue } from './delivery-queue.ts';
import { Device, type DeviceRecord, type KeyBundle } from './device.ts';
import type { Emulation } from './emulation.ts';
import type { Identity } from './identity.ts';
import { Inbox } from './inbox.ts';
import { PhoneKeys, SIGNED_PRE_KEY_ID } from './phone-keys.ts';
import type { ScopedState } from './scoped-state.ts';

/** Device id 99 means "hosted" to clients, and an id is one byte. */
const HIGHEST_DEVICE = 98;
/** Key ids have 3 bytes. */
const HIGHEST_PRE_KEY = 0xff_ff_ff;

export const phoneRecordSchema = z.object({
  number: z.string(),
  name: z.string(),
  /** Made through the control API, not by being contacted. */
  created: z.boolean(),
  online: z.boolean(),
  behavior: behaviorSchema,
  /** All of the phone's keys derive from it. */
  seed: z.hex(),
  nextDevice: z.int(),
  nextKeyIndex: z.int(),
  nextPreKey: z.int(),
  /** Companions that know the phone's device list, as `number:device`. */
  watchers: z.array(z.string()),
});
export type PhoneRecord = z.output<typeof phoneRecordSchema>;

/** The record of a number that was never seen before. */
export function newPhoneRecord(number: string): PhoneRecord {
  return {
    number,
    name: `Phone ${number.slice(-4)}`,
    created: false,
    online: true,
    behavior: { ...ORDINARY_BEHAVIOR },
    seed: generateKeyPair().privateKey.toString('hex'),
    nextDevice: 1,
    nextKeyIndex: 1,
    nextPreKey: 1,
    watchers: [],
  };
}

/** What a phone works with. */
export interface PhoneSurroundings {
  emulation: Emulation;
  state: ScopedState;
  /** Told when there is something in the phone's queue to look at; all of it where no delivery is named. */
  wake: (phone: Phone, delivery?: Delivery) => void;
}

/** One number of a realm: the phone itself (device 0), its companions, and what it keeps. */
export class Phone {
  readonly identity: Identity;
  readonly record: PhoneRecord;
  readonly devices = new Map<number, Device>();
  readonly queue: DeliveryQueue;
  readonly inbox: Inbox;
  readonly appState: AppState;
  readonly keys: PhoneKeys;
  /** Signal sessions by address, serialized. */
  readonly sessions = new Map<string, Uint8Array>();
  /** Companions that want to see its presence. */
  readonly presenceSubscribers = new Set<Device>();
  readonly #emulation: Emulation;
  readonly #state: ScopedState;
  readonly #wake: (phone: Phone, delivery?: Delivery) => void;

  constructor({ emulation, state, wake }: PhoneSurroundings, identity: Identity, record: PhoneRecord) {
    const { number } = identity;
    this.identity = identity;
    this.record = record;
    this.#emulation = emulation;
    this.#state = state;
    this.#wake = wake;
    this.queue = new DeliveryQueue(emulation, state, `queue/${number}/0`);
    this.inbox = new Inbox(emulation, state, `message/${number}`);
    this.appState = new AppState(state, `patch/${number}`);
    this.keys = new PhoneKeys(record.seed);
  }

  get number(): string {
    return this.identity.number;
  }

  /** Hands a stanza to the phone itself; it waits there while the phone is offline. */
  deliver(node: WireNode): void {
    this.#wake(this, this.queue.add(node));
  }

  /** Makes the phone look at its queue again. */
  wake(): void {
    this.#wake(this);
  }

  /** Keys for a new session with the phone itself. */
  takeKeyBundle(): KeyBundle {
    const { registrationId, identity, signedPreKey, signedPreKeySignature } = this.keys;
    const id = this.record.nextPreKey;
    this.record.nextPreKey = (id % HIGHEST_PRE_KEY) + 1;
    this.save();
    return {
      registrationId,
      identity: identity.publicKey,
      signedPreKey: {
        id: SIGNED_PRE_KEY_ID,
        publicKey: signedPreKey.publicKey,
        signature: signedPreKeySignature,
      },
      preKey: { id, publicKey: this.keys.preKey(id).publicKey },
    };
  }

  /** A device id and key index that no companion of this phone has. */
  reserveDevice(): { id: number; keyIndex: number } {
    const keyIndex = this.record.nextKeyIndex++;
    let id = this.record.nextDevice;
    while (this.devices.has(id)) id = (id % HIGHEST_DEVICE) + 1;
    this.record.nextDevice = (id % HIGHEST_DEVICE) + 1;
    this.save();
    return { id, keyIndex };
  }

  /** Adds a companion, stored or new. */
  addDevice(record: DeviceRecord): Device {
    const device = new Device(this.#emulation, this.#state, this.identity, record);
    this.devices.set(device.id, device);
    return device;
  }

  removeDevice(device: Device): void {
    this.devices.delete(device.id);
    this.storeSession(`${this.number}.${device.id}`, undefined);
    device.erase();
  }

  /** Remembers that a companion learned the phone's device list. */
  watch(watcher: Device): void {
    const key = `${watcher.owner.number}:${watcher.id}`;
    if (this.record.watchers.includes(key)) return;
    this.record.watchers.push(key);
    this.save();
  }

  /** Keeps a Signal session, or forgets it. */
  storeSession(address: string, session: Uint8Array | undefined): void {
    const key = `session/${this.number}/${address}`;
    if (session) {
      this.sessions.set(address, session);
      this.#state.put(key, () => this.sessions.get(address) ?? session);
    } else if (this.sessions.delete(address)) {
      this.#state.delete(key);
    }
  }

  save(): void {
    this.#state.putJson(`phone/${this.number}`, () => this.record);
  }
}
