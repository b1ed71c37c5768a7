import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEventHub } from '../../../src/features/events/event-hub.ts';
import type { EventReader } from '../../../src/features/events/event-reader.ts';
import { followEvents } from '../../../src/features/events/follow-events.ts';
import { newUuid, toId } from '../../../src/lib/ids.ts';
import { systemClock } from '../../../src/lib/system-clock.ts';
import { silentLog } from '../../support/log.ts';
import { inOpenTransaction } from '../../support/open-transaction.ts';
import { announce, type EventsApi, follow, openEventsApi, openParts, settle } from './open-events.ts';

let api: EventsApi;
beforeAll(async () => {
  api = await openEventsApi();
});
afterAll(() => api.close());

const evt = (ids: string[]) => ids.map((id) => toId('event', id));
const announceMany = async (accountId: string, count: number) => {
  const ids = [];
  for (let i = 0; i < count; i++) ids.push(await announce(api.db.owner, { accountId, sessionId: newUuid() }));
  return ids;
};

describe('GET /v1/events/stream', () => {
  it('sends each new event with its content', async () => {
    const { text, accountId } = await api.issue();
    await announceMany(accountId, 2);
    await settle(api.db);
    const stream = await follow(api.edge.url, text);
    await expect.poll(stream.text).toContain('retry');
    const { message } = await api.send(accountId, 'now');
    await expect.poll(stream.events).toHaveLength(1);
    expect(stream.events()[0]).toMatchObject({
      type: 'message.queued',
      data: { type: 'message.queued', data: message },
    });
    expect(stream.events()[0]?.id).toBe(stream.events()[0]?.data.id);
    stream.close();
  });

  it('continues after the last event that the reader has, by header or query', async () => {
    const { text, accountId } = await api.issue();
    const ids = await announceMany(accountId, 5);
    const last = toId('event', ids[1] ?? '');
    const byHeader = await follow(api.edge.url, text, '', { 'last-event-id': last });
    const byQuery = await follow(api.edge.url, text, `?last_event_id=${last}`);
    for (const stream of [byHeader, byQuery]) {
      await expect.poll(() => stream.events().map(({ id }) => id)).toEqual(evt(ids.slice(2)));
    }
    const more = await announceMany(accountId, 2);
    api.notifier.notify(accountId);
    for (const stream of [byHeader, byQuery]) {
      await expect.poll(() => stream.events().map(({ id }) => id)).toEqual(evt([...ids.slice(2), ...more]));
      stream.close();
    }
  });

  it('sends only the types and the session that were asked for', async () => {
    const { text, accountId } = await api.issue();
    const wanted = newUuid();
    const first = await announceMany(accountId, 1);
    const query = `?type=session.*&session=${toId('session', wanted)}&last_event_id=${evt(first)[0]}`;
    await announce(api.db.owner, { accountId, sessionId: newUuid() });
    const before = await announce(api.db.owner, { accountId, sessionId: wanted });
    const stream = await follow(api.edge.url, text, query);
    await expect.poll(() => stream.events().map(({ id }) => id)).toEqual(evt([before]));
    await announce(api.db.owner, { accountId, sessionId: wanted, type: 'message.read' });
    await announce(api.db.owner, { accountId, sessionId: newUuid() });
    const after = await announce(api.db.owner, { accountId, sessionId: wanted });
    api.notifier.notify(accountId);
    await expect.poll(() => stream.events().map(({ id }) => id)).toEqual(evt([before, after]));
    stream.close();
  });

  it('keeps accounts and modes apart', async () => {
    const { text, accountId } = await api.issue();
    const { text: live } = await api.issue({ mode: 'live' }, accountId);
    const { text: foreign, accountId: other } = await api.issue();
    const streams = await Promise.all([text, live, foreign].map((key) => follow(api.edge.url, key)));
    await api.send(accountId, 'test');
    await api.send(accountId, 'live', 'live');
    await api.send(other, 'foreign');
    const bodies = () => streams.map(({ events }) => events().map(({ data }) => data.data['text']));
    await expect.poll(bodies).toEqual([[{ body: 'test' }], [{ body: 'live' }], [{ body: 'foreign' }]]);
    for (const stream of streams) stream.close();
  });

  it('is heard across processes, and without a notice soon after', async () => {
    const { text, accountId } = await api.issue();
    const elsewhere = await openParts(api.db);
    const stream = await follow(api.edge.url, text);
    await expect.poll(stream.text).toContain('retry');
    await announceMany(accountId, 1);
    elsewhere.notifier.notify(accountId);
    await expect.poll(stream.events).toHaveLength(1);
    await announceMany(accountId, 1);
    await expect.poll(stream.events).toHaveLength(2);
    stream.close();
    await elsewhere.close();
  });

  it.each(['evt_01h455vb4pex5vsknk084sn02q', 'ses_01h455vb4pex5vsknk084sn02q', 'x'])(
    'cannot continue after %s',
    async (last) => {
      const { text } = await api.issue();
      const { status, json } = await api.call(text, 'GET', '/v1/events/stream', undefined, {
        'last-event-id': last,
      });
      expect([status, json().code]).toEqual([422, 'event.cannot_continue']);
    },
  );

  it('cannot continue after an event of another account', async () => {
    const { accountId } = await api.issue();
    const [id] = await announceMany(accountId, 1);
    const { text } = await api.issue();
    const answer = await api.call(text, 'GET', `/v1/events/stream?last_event_id=${toId('event', id ?? '')}`);
    expect(answer.status).toBe(422);
  });

  it('leaves out what the reader may not see, whether it was before or comes now', async () => {
    const { accountId } = await api.issue();
    const { text: viewer } = await api.issue({ scopes: ['events:read'] }, accountId);
    const { text: payer } = await api.issue({ scopes: ['events:read', 'billing:read'] }, accountId);
    const start = toId('event', await announce(api.db.owner, { accountId, sessionId: newUuid() }));
    const types = ['invoice.paid', 'session.status', 'webhook_endpoint.disabled', 'subscription.changed'];
    const announceAll = async () => {
      for (const type of types) await announce(api.db.owner, { accountId, type, sessionId: newUuid() });
      await announce(api.db.owner, { accountId, type: 'message.read', sessionId: newUuid() });
      api.notifier.notify(accountId);
    };
    await announceAll();
    const streams = await Promise.all(
      [viewer, payer].map((key) => follow(api.edge.url, key, `?last_event_id=${start}`)),
    );
    const seen = () => streams.map((stream) => stream.events().map(({ type }) => type));
    const ofViewer = ['session.status', 'message.read'];
    const ofPayer = ['invoice.paid', 'session.status', 'subscription.changed', 'message.read'];
    await expect.poll(seen).toEqual([ofViewer, ofPayer]);
    await announceAll();
    await expect.poll(seen).toEqual([
      [...ofViewer, ...ofViewer],
      [...ofPayer, ...ofPayer],
    ]);
    for (const stream of streams) stream.close();
  });

  it('ends within two seconds of its key being revoked', async () => {
    const { text, id, accountId } = await api.issue();
    const { text: admin } = await api.issue({}, accountId);
    const stream = await follow(api.edge.url, text);
    let ended = false;
    stream.response.on('close', () => (ended = true));
    await api.call(admin, 'DELETE', `/v1/api-keys/${toId('apiKey', id)}`);
    await expect.poll(() => ended).toBe(true);
  });
});

describe('the order of a stream', () => {
  it('holds events of later transactions back until the earlier ones have ended', async () => {
    const { text, accountId } = await api.issue();
    const stream = await follow(api.edge.url, text);
    await expect.poll(stream.text).toContain('retry');
    const both = await inOpenTransaction(api.db.owner, async (slow) => {
      const first = await announce(slow, { accountId, sessionId: newUuid() });
      const second = await announce(api.db.owner, { accountId, sessionId: newUuid() });
      api.notifier.notify(accountId);
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(stream.events()).toEqual([]);
      return [first, second];
    });
    await expect.poll(() => stream.events().map(({ id }) => id)).toEqual(evt(both));
    stream.close();
  });

  it('misses and repeats nothing when many write at once and the reader comes and goes', async () => {
    const { text, accountId } = await api.issue();
    const [start] = await announceMany(accountId, 1);
    const written: string[] = [];
    let writing = true;
    const write = async () => {
      for (let i = 0; i < 25; i++) {
        await inOpenTransaction(api.db.pool, async (client) => {
          await client.query(`select set_config('role', 'service_role', true)`);
          for (let j = 0; j < 1 + (i % 3); j++)
            written.push(await announce(client, { accountId, sessionId: newUuid() }));
          await new Promise((resolve) => setTimeout(resolve, Math.random() * 8));
        });
        api.notifier.notify(accountId);
      }
    };
    const writers = Promise.all([write(), write(), write(), write()]).finally(() => (writing = false));

    const seen: string[] = [];
    let last = toId('event', start ?? '') as string;
    while (writing || seen.length < written.length) {
      const stream = await follow(api.edge.url, text, '', { 'last-event-id': last });
      await new Promise((resolve) => setTimeout(resolve, 60));
      stream.close();
      seen.push(...stream.events().map(({ id }) => id));
      last = seen.at(-1) ?? last;
    }
    await writers;
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.toSorted()).toEqual(evt(written).toSorted());
  });
});

describe('a reader that is too slow', () => {
  it('gets every event all the same, though the process holds only the last few hundred for it', async () => {
    const accountId = (await api.issue()).accountId;
    const scope = { accountId, mode: 'test' } as const;
    const leave = new AbortController();
    const start = await api.reader.now(scope);
    const stream = followEvents(
      { ...api, clock: systemClock },
      { scope, filter: {}, start, signal: leave.signal },
    );
    const ids: (string | undefined)[] = [];
    const [first] = await announceMany(accountId, 1);
    api.notifier.notify(accountId);
    ids.push((await stream.next()).value?.id);

    // More than is held, while the reader takes nothing.
    await api.db.owner.query(
      `select app.announce(gen_random_uuid(), $1, 'test', 'session.status', null, null, '{}', now()) from generate_series(1, 1500)`,
      [accountId],
    );
    api.notifier.notify(accountId);
    await new Promise((resolve) => setTimeout(resolve, 300));
    while (ids.length < 1_501) ids.push((await stream.next()).value?.id);
    expect(new Set(ids).size).toBe(1_501);
    expect(ids[0]).toBe(toId('event', first ?? ''));
    leave.abort();
    expect((await stream.next()).done).toBe(true);
  });
});

describe('the database', () => {
  it('is read once for all streams of an account', async () => {
    const { accountId } = await api.issue();
    // Reads that find nothing do not count: how often a feed looks depends on how busy the server is.
    let looked = false;
    let finds = 0;
    const reader: EventReader = {
      ...api.reader,
      after: async (...args) => {
        looked = true;
        const found = await api.reader.after(...args);
        if (found.events.length > 0) finds++;
        return found;
      },
    };
    const { notices } = api;
    const hub = await createEventHub({ reader, notices, clock: systemClock, log: silentLog });
    const scope = { accountId, mode: 'test' } as const;
    const subscriptions = await Promise.all(Array.from({ length: 20 }, () => hub.subscribe(scope)));
    await expect.poll(() => looked).toBe(true);
    await announceMany(accountId, 1);
    api.notifier.notify(accountId);
    const got = await Promise.all(subscriptions.map((subscription) => subscription.next()));
    expect(got.every((events) => Array.isArray(events) && events.length === 1)).toBe(true);
    expect(finds).toBe(1);
    for (const subscription of subscriptions) subscription.close();
    expect(await subscriptions[0]?.next()).toBe('ended');
    hub.close();
  });
});
