import type { RunningEmulator } from '../../../src/emulator/start.ts';

export interface ControlMessage {
  id: string;
  from: string;
  to: string;
  direction: 'in' | 'out';
  text: string;
  received_at: string;
  delivered_at?: string;
  read_at?: string;
  quoted_id?: string;
  type: 'pkmsg' | 'msg' | 'none';
  duplicates: number;
  from_device: number;
}

export interface ControlPhone {
  phone: string;
  lid: string;
  name: string;
  online: boolean;
  behavior: Record<string, unknown>;
  devices: { device: number; linked_at: string; online: boolean; banned: boolean }[];
}

export interface Linked {
  device: number;
  jid: string;
  lid: string;
}

/** The emulator's control API, for tests. */
export class Control {
  readonly #emulator: Pick<RunningEmulator, 'controlUrl' | 'controlToken'>;
  readonly realm: string;

  constructor(emulator: Pick<RunningEmulator, 'controlUrl' | 'controlToken'>, realm = 'acc_test') {
    this.#emulator = emulator;
    this.realm = realm;
  }

  /** One call; resolves with status and body whatever they are. */
  async call<T = unknown>(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; body: T }> {
    const response = await fetch(`${this.#emulator.controlUrl}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.#emulator.controlToken}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const parsed: T = JSON.parse(text === '' ? 'null' : text);
    return { status: response.status, body: parsed };
  }

  async #ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const reply = await this.call<T>(method, path, body);
    if (reply.status >= 300)
      throw new Error(`${method} ${path}: ${reply.status} ${JSON.stringify(reply.body)}`);
    return reply.body;
  }

  #path(phone: string, rest = ''): string {
    return `/v1/realms/${encodeURIComponent(this.realm)}/phones/${encodeURIComponent(phone)}${rest}`;
  }

  createPhone(phone?: { phone?: string; name?: string }): Promise<ControlPhone> {
    return this.#ask('POST', `/v1/realms/${encodeURIComponent(this.realm)}/phones`, phone ?? {});
  }

  phone(phone: string): Promise<ControlPhone> {
    return this.#ask('GET', this.#path(phone));
  }

  change(phone: string, change: unknown): Promise<ControlPhone> {
    return this.#ask('PATCH', this.#path(phone), change);
  }

  scan(phone: string, qr: string): Promise<Linked> {
    return this.#ask('POST', this.#path(phone, '/scan'), { qr });
  }

  enterCode(phone: string, code: string): Promise<Linked> {
    return this.#ask('POST', this.#path(phone, '/pairing-code'), { code });
  }

  async messages(phone: string): Promise<ControlMessage[]> {
    const { data } = await this.#ask<{ data: ControlMessage[] }>(
      'GET',
      this.#path(phone, '/messages?limit=1000'),
    );
    return data;
  }

  write(phone: string, to: string, body: string, more: object = {}): Promise<{ id: string; ids: string[] }> {
    return this.#ask('POST', this.#path(phone, '/messages'), { to, text: { body }, ...more });
  }

  read(phone: string, ids?: string[]): Promise<{ read: number }> {
    return this.#ask('POST', this.#path(phone, '/read'), ids ? { message_ids: ids } : {});
  }

  removeDevice(phone: string, device: number): Promise<void> {
    return this.#ask('DELETE', this.#path(phone, `/devices/${device}`));
  }

  fault(fault: unknown): Promise<{ id: string | null }> {
    return this.#ask('POST', '/v1/faults', fault);
  }

  clearFaults(): Promise<void> {
    return this.#ask('DELETE', '/v1/faults');
  }

  stats(): Promise<Record<string, number>> {
    return this.#ask('GET', '/v1/stats');
  }
}
