import type { ApiClient, Json } from './api-client.ts';
import { eventually, untilItWorks } from './eventually.ts';
import type { World } from './world.ts';

const PHONES = ['919876500001', '919876500002', '919876500003', '919876500004', '919876500005'];

/** Four linked sessions of a fresh account, and what a test does with all of them. */
export interface Fleet {
  api: ApiClient;
  sessions: Json[];
  phones: readonly string[];
  /** Sends so many messages, spread over sessions and phones, a few at once. */
  sendMany(count: number, tag: string): Promise<void>;
  /** Texts that begin with the tag, in all inboxes. */
  arrived(tag: string): Promise<string[]>;
  expectExactlyOnce(count: number, tag: string): Promise<void>;
  /** Waits until no message is queued, being sent, only sent or failed. */
  expectAllDelivered(): Promise<void>;
  expectAllConnected(): Promise<void>;
}

export async function linkFleet(world: World): Promise<Fleet> {
  const api = (await world.account()).test;
  const sessions = await Promise.all([1, 2, 3, 4].map((n) => api.linkedSession(`session ${n}`)));

  async function arrived(tag: string): Promise<string[]> {
    const inboxes = await Promise.all(PHONES.map((phone) => api.inbox(phone)));
    const texts = inboxes.flat().map((message: Json) => message.text);
    return texts.filter((text: string) => text.startsWith(tag));
  }

  return {
    api,
    sessions,
    phones: PHONES,
    arrived,
    async sendMany(count, tag) {
      const left = Array.from({ length: count }, (_, n) => n);
      const sendSome = async () => {
        for (let n = left.shift(); n !== undefined; n = left.shift()) {
          const session = sessions[n % sessions.length].id;
          const text = `${tag} ${n}`;
          const body = { session, to: PHONES[n % PHONES.length], type: 'text', text: { body: text } };
          // As a customer does who wants it sent once: the same key, until it was accepted.
          await untilItWorks(async () => {
            const { status } = await api.request('POST', '/v1/messages', body, { 'idempotency-key': text });
            if (status !== 202) throw new Error(`${text} was answered with ${status}`);
          });
        }
      };
      await Promise.all(Array.from({ length: 8 }, sendSome));
    },
    async expectExactlyOnce(count, tag) {
      const expected = Array.from({ length: count }, (_, n) => `${tag} ${n}`);
      let texts: string[] = [];
      const missing = async () => {
        texts = await arrived(tag);
        const found = new Set(texts);
        return expected.filter((text) => !found.has(text));
      };
      await eventually(missing, (left) => left.length === 0);
      if (texts.length !== count) throw new Error(`${texts.length - count} messages arrived twice`);
    },
    async expectAllDelivered() {
      const unfinished = async () => {
        const statuses = ['queued', 'sending', 'sent', 'failed'];
        const pages = await Promise.all(statuses.map((s) => api.get(`/v1/messages?status=${s}&limit=100`)));
        return pages.flatMap((page) =>
          page.data === undefined
            ? [page]
            : page.data.map(({ id, status, error }: Json) => ({ id, status, error })),
        );
      };
      await eventually(unfinished, (found) => found.length === 0);
    },
    async expectAllConnected() {
      const states = () =>
        api.get('/v1/sessions').then((page) => page.data.map((session: Json) => session.status));
      await eventually(states, (found) => found.every((status: string) => status === 'connected'));
    },
  };
}
