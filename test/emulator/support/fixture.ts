import { afterAll, beforeAll } from 'vitest';
import { type RunningEmulator, startEmulator } from '../../../src/emulator/start.ts';
import { Control } from './control.ts';
import { RawBaileys } from './raw-baileys.ts';

export interface LinkedClient {
  client: RawBaileys;
  /** E.164 with `+`. */
  phone: string;
  device: number;
}

/** An emulator for one test file, with everything that is opened on it closed again. */
export class EmulatorFixture {
  #emulator: RunningEmulator | undefined;
  readonly #clients: RawBaileys[] = [];

  constructor() {
    beforeAll(async () => {
      this.#emulator = await startEmulator({
        host: '127.0.0.1',
        port: 0,
        controlPort: 0,
        controlToken: 'secret',
      });
    });
    afterAll(async () => {
      await Promise.all(this.#clients.map((client) => client.close()));
      await this.#emulator?.close();
    });
  }

  get emulator(): RunningEmulator {
    if (!this.#emulator) throw new Error('not started');
    return this.#emulator;
  }

  control(realm?: string): Control {
    return new Control(this.emulator, realm);
  }

  /** A Baileys that is not connected yet. */
  client(
    ...config: ConstructorParameters<typeof RawBaileys> extends [unknown, ...infer C] ? C : never
  ): RawBaileys {
    const client = new RawBaileys(this.emulator, ...config);
    this.#clients.push(client);
    return client;
  }

  /** A Baileys linked to a phone: a fresh one, or the one given. */
  async linked(control: Control = this.control(), phone?: string): Promise<LinkedClient> {
    const number = phone ?? (await control.createPhone()).phone;
    const client = this.client();
    let device = 0;
    await client.link(async (qr) => {
      ({ device } = await control.scan(number, qr));
    });
    return { client, phone: number, device };
  }
}

/** Address of a number. */
export function jidOf(phone: string): string {
  return `${phone.replace('+', '')}@s.whatsapp.net`;
}
