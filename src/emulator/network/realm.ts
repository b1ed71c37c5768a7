import { type Jid, LID_SERVER, PHONE_SERVER, parseJid } from '../wire/jid.ts';
import type { Delivery } from './delivery-queue.ts';
import type { Device } from './device.ts';
import type { Emulation } from './emulation.ts';
import { lidOf } from './identity.ts';
import { newPhoneRecord, Phone, type PhoneRecord } from './phone.ts';
import { realmPath, type ScopedState, scopedState } from './scoped-state.ts';

/** Told when a phone has something in its queue to look at. */
export type WakePhone = (realm: Realm, phone: Phone, delivery?: Delivery) => void;

/** One account's private WhatsApp network: its numbers know each other and nobody else. */
export class Realm {
  readonly id: string;
  readonly #emulation: Emulation;
  readonly #state: ScopedState;
  readonly #wake: WakePhone;
  readonly #phones = new Map<string, Phone>();
  readonly #byLid = new Map<string, Phone>();
  #erased = false;

  constructor(emulation: Emulation, id: string, wake: WakePhone) {
    this.id = id;
    this.#emulation = emulation;
    this.#state = scopedState(emulation.store, realmPath(id), () => this.#erased);
    this.#wake = wake;
  }

  /** The phone of a number (digits), made where nobody has met it yet. */
  phone(number: string): Phone {
    const known = this.#phones.get(number);
    if (known) return known;
    const phone = this.restore(newPhoneRecord(number));
    phone.save();
    return phone;
  }

  find(number: string): Phone | undefined {
    return this.#phones.get(number);
  }

  /** Takes a phone back in that was stored before a restart. */
  restore(record: PhoneRecord): Phone {
    const identity = { realm: this.id, number: record.number, lid: lidOf(this.id, record.number) };
    const wake = (phone: Phone, delivery?: Delivery) => this.#wake(this, phone, delivery);
    const surroundings = { emulation: this.#emulation, state: this.#state, wake };
    const phone = new Phone(surroundings, identity, record);
    this.#phones.set(identity.number, phone);
    this.#byLid.set(identity.lid, phone);
    return phone;
  }

  /** Whom an address names; numbers are met on the way, LIDs must be known. */
  resolve(address: Jid | string | undefined): Phone | undefined {
    const jid = typeof address === 'object' ? address : parseJid(address);
    if (jid?.server === LID_SERVER) return this.#byLid.get(jid.user);
    return jid?.server === PHONE_SERVER && /^\d{5,15}$/.test(jid.user) ? this.phone(jid.user) : undefined;
  }

  get erased(): boolean {
    return this.#erased;
  }

  /** Stops the realm from keeping anything more. */
  erase(): void {
    this.#erased = true;
  }

  phones(): Phone[] {
    return [...this.#phones.values()];
  }

  /** The companion behind `number:device`. */
  device(key: string): Device | undefined {
    const [number, device] = key.split(':');
    return number === undefined ? undefined : this.#phones.get(number)?.devices.get(Number(device));
  }
}
