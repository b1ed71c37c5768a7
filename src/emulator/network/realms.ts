import type { Device } from './device.ts';
import type { Emulation } from './emulation.ts';
import type { Phone } from './phone.ts';
import { Realm, type WakePhone } from './realm.ts';
import { realmPath } from './scoped-state.ts';

/** A companion with the phone and realm it belongs to. */
export interface LinkedDevice {
  realm: Realm;
  phone: Phone;
  device: Device;
}

/** Every realm, and who logs in with which key: a login names no realm. */
export class Realms {
  readonly #emulation: Emulation;
  readonly #wake: WakePhone;
  readonly #realms = new Map<string, Realm>();
  readonly #byNoiseKey = new Map<string, LinkedDevice>();

  constructor(emulation: Emulation, wake: WakePhone) {
    this.#emulation = emulation;
    this.#wake = wake;
  }

  /** The realm of that id, made at first use. */
  realm(id: string): Realm {
    const known = this.#realms.get(id);
    if (known) return known;
    const realm = new Realm(this.#emulation, id, this.#wake);
    this.#realms.set(id, realm);
    return realm;
  }

  list(): Realm[] {
    return [...this.#realms.values()];
  }

  /** Makes a companion known to logins. */
  register(linked: LinkedDevice): void {
    this.#byNoiseKey.set(keyText(linked.device.record.noiseKey), linked);
  }

  unregister({ device }: LinkedDevice): void {
    this.#byNoiseKey.delete(keyText(device.record.noiseKey));
  }

  findByNoiseKey(noiseKey: Uint8Array): LinkedDevice | undefined {
    return this.#byNoiseKey.get(keyText(noiseKey));
  }

  linkedDevices(): LinkedDevice[] {
    return [...this.#byNoiseKey.values()];
  }

  /** Erases a realm: its phones, their companions, and what is stored of them. */
  async erase(id: string): Promise<void> {
    for (const linked of this.linkedDevices()) {
      if (linked.realm.id !== id) continue;
      this.unregister(linked);
      linked.device.link?.cut();
    }
    this.#realms.get(id)?.erase();
    this.#realms.delete(id);
    await this.#emulation.store.deleteUnder(realmPath(id));
  }
}

function keyText(key: Uint8Array): string {
  return Buffer.from(key).toString('base64');
}
