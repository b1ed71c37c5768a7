import { eventually, untilItWorks } from './eventually.ts';
/** What a test reads of an answer. Loosely typed on purpose: tests look at the wire, not at our types. */
export type Json = ReturnType<typeof JSON.parse>;

/** Calls the API as a customer's program would. */
export class ApiClient {
  readonly #base: string;
  readonly key: string;

  constructor(base: string, key: string) {
    this.#base = base;
    this.key = key;
  }

  async request(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; body: Json; headers: Headers }> {
    const response = await fetch(`${this.#base}${path}`, {
      method,
      headers: {
        'x-api-key': this.key,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      body: text === '' ? undefined : JSON.parse(text),
      headers: response.headers,
    };
  }

  get = (path: string) => this.request('GET', path).then((answer) => answer.body);
  post = (path: string, body: unknown = {}, headers?: Record<string, string>) =>
    this.request('POST', path, body, headers).then((answer) => answer.body);
  patch = (path: string, body: unknown) => this.request('PATCH', path, body).then((answer) => answer.body);

  /** A session linked to a fresh virtual phone. */
  /** A session that is connected, on a machine of whatever speed. */
  async linkedSession(name = 'main'): Promise<Json> {
    const { id } = await untilItWorks(async () => {
      const { status, body } = await this.request('POST', '/v1/sessions', { name, auto_pair: true });
      if (status !== 201) throw new Error(`a session was answered with ${status} ${JSON.stringify(body)}`);
      return body;
    });
    return eventually(
      () => this.get(`/v1/sessions/${id}`),
      ({ status }) => status === 'connected',
    );
  }

  sendText(to: string, text: string, more: object = {}): Promise<Json> {
    return this.post('/v1/messages', { to, type: 'text', text: { body: text }, ...more });
  }

  async inbox(phone: string): Promise<Json[]> {
    return (await this.get(`/v1/sandbox/phones/${phone}/messages?limit=1000`)).data;
  }
}
