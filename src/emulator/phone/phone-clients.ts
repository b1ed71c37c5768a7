import type { Emulation } from '../network/emulation.ts';
import type { Phone } from '../network/phone.ts';
import type { Realm } from '../network/realm.ts';
import { PhoneClient } from './phone-client.ts';

/** The clients of the phones that had something to do; most numbers never have. */
export class PhoneClients {
  readonly #emulation: Emulation;
  readonly #clients = new Map<Phone, { realm: Realm; client: PhoneClient }>();

  constructor(emulation: Emulation) {
    this.#emulation = emulation;
  }

  of(realm: Realm, phone: Phone): PhoneClient {
    const known = this.#clients.get(phone);
    if (known) return known.client;
    const client = new PhoneClient(this.#emulation, realm, phone);
    this.#clients.set(phone, { realm, client });
    return client;
  }

  /** Drops the clients of a realm that is erased, once what they are at is done. */
  async forget(realm: Realm): Promise<void> {
    const mine = [...this.#clients].filter(([, entry]) => entry.realm === realm);
    for (const [phone, { client }] of mine) {
      this.#clients.delete(phone);
      await client.idle();
      client.close();
    }
  }

  /** Resolves when no phone is at work. */
  async idle(): Promise<void> {
    await Promise.all([...this.#clients.values()].map(({ client }) => client.idle()));
  }
}
