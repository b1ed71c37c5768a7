import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EVENT_TYPES } from '../../../src/features/events/events.events.ts';
import { newUuid, toId } from '../../../src/lib/ids.ts';
import { inOpenTransaction } from '../../support/open-transaction.ts';
import { announce, type EventsApi, openEventsApi, settle } from './open-events.ts';

interface Event {
  id: string;
  type: string;
  session_id: string;
  data: Record<string, unknown>;
}

let api: EventsApi;
beforeAll(async () => {
  api = await openEventsApi();
});
afterAll(() => api.close());

const list = async (key: string, query = '') => {
  await settle(api.db);
  return listNow(key, query);
};

const listNow = async (key: string, query = '') => {
  const { status, json } = await api.call(key, 'GET', `/v1/events${query}`);
  expect(status).toBe(200);
  return json<{ data: Event[]; has_more: boolean; next_cursor: string | null }>();
};

describe('GET /v1/events', () => {
  it('shows what happened, newest first, with the message as it was', async () => {
    const { text, accountId } = await api.issue();
    const { message, messageId, sessionId } = await api.send(accountId, 'hello there');
    await announce(api.db.owner, {
      accountId,
      type: 'message.sent',
      sessionId,
      messageId,
      data: { status: 'sent', sent_at: '2026-11-21T09:00:00Z' },
    });
    await api.db.owner.query(`update messages set status = 'read', read_at = now() where id = $1`, [
      messageId,
    ]);

    const { data } = await list(text);
    expect(data.map(({ type }) => type)).toEqual(['message.sent', 'message.queued']);
    expect(data[0]).toMatchObject({
      id: expect.stringMatching(/^evt_/),
      mode: 'test',
      session_id: toId('session', sessionId),
      data: { id: message.id, status: 'sent', text: { body: 'hello there' }, to: '+919876543210' },
    });
    expect(data[1]?.data).toEqual(message);
  });

  it('filters by type, session, message and time', async () => {
    const { text, accountId } = await api.issue();
    const { messageId, sessionId } = await api.send(accountId, 'one');
    const other = newUuid();
    await announce(api.db.owner, { accountId, sessionId: other });
    const types = async (query: string) => (await list(text, query)).data.map(({ type }) => type);
    expect(await types('')).toEqual(['session.status', 'message.queued']);
    expect(await types('?type=message.*')).toEqual(['message.queued']);
    expect(await types('?type=session.status,message.read')).toEqual(['session.status']);
    expect(await types(`?session=${toId('session', other)}`)).toEqual(['session.status']);
    expect(await types(`?session=${toId('session', sessionId)}`)).toEqual(['message.queued']);
    expect(await types(`?message=${toId('message', messageId)}`)).toEqual(['message.queued']);
    expect(await types(`?since=${new Date(Date.now() + 5_000).toISOString()}`)).toEqual([]);
    expect(await types(`?until=${new Date(Date.now() + 5_000).toISOString()}`)).toHaveLength(2);
    expect(await types(`?since=2001-01-01T00:00:00Z&until=2001-01-02T00:00:00Z`)).toEqual([]);
  });

  it('pages through all events, each once', async () => {
    const { text, accountId } = await api.issue();
    const made: string[] = [];
    for (let i = 0; i < 7; i++)
      made.unshift(toId('event', await announce(api.db.owner, { accountId, sessionId: newUuid() })));
    const seen: string[] = [];
    let query: string | null = '?limit=3';
    while (query !== null) {
      const page: Awaited<ReturnType<typeof list>> = await list(text, query);
      seen.push(...page.data.map(({ id }) => id));
      query = page.next_cursor && `?limit=3&after=${page.next_cursor}`;
    }
    expect(seen).toEqual(made);
  });

  it('shows nothing of other accounts or of the other mode', async () => {
    const { text, accountId } = await api.issue();
    const { text: live } = await api.issue({ mode: 'live' }, accountId);
    const { text: foreign } = await api.issue();
    const id = toId('event', await announce(api.db.owner, { accountId, sessionId: newUuid() }));
    expect((await list(text)).data).toHaveLength(1);
    for (const key of [live, foreign]) {
      expect((await list(key)).data).toEqual([]);
      const { status, json } = await api.call(key, 'GET', `/v1/events/${id}`);
      expect([status, json().code]).toEqual([404, 'event.not_found']);
    }
    expect((await api.call(text, 'GET', `/v1/events/${id}`)).json()).toMatchObject({
      id,
      type: 'session.status',
    });
  });

  it('shows payments and endpoints only to those with their scopes', async () => {
    const { text, accountId } = await api.issue();
    const ids = new Map<string, string>();
    for (const type of Object.keys(EVENT_TYPES)) {
      ids.set(type, toId('event', await announce(api.db.owner, { accountId, type, sessionId: newUuid() })));
    }
    const callers = [
      ['*'],
      ['events:read'],
      ['events:read', 'billing:read'],
      ['events:read', 'webhooks:read'],
    ];
    for (const scopes of callers) {
      const { text: key } = await api.issue({ scopes }, accountId);
      const visible = Object.keys(EVENT_TYPES).filter((type) => {
        const scope = /^(invoice|subscription)\./.test(type)
          ? 'billing:read'
          : type.startsWith('webhook_endpoint.')
            ? 'webhooks:read'
            : 'events:read';
        return scopes.includes('*') || scopes.includes(scope);
      });
      const seen = (await list(key, '?limit=100')).data.map(({ type }) => type);
      expect(seen.toSorted(), scopes.join()).toEqual(visible.toSorted());
      for (const [type, id] of ids) {
        const { status } = await api.call(key, 'GET', `/v1/events/${id}`);
        expect(status, `${scopes.join()} ${type}`).toBe(visible.includes(type) ? 200 : 404);
      }
    }
    const { text: viewer } = await api.issue({ scopes: ['events:read'] }, accountId);
    expect((await list(viewer, '?type=invoice.*,message.sent')).data.map(({ type }) => type)).toEqual([
      'message.sent',
    ]);
    const pages: string[] = [];
    let query: string | null = '?limit=4';
    while (query !== null) {
      const page: Awaited<ReturnType<typeof list>> = await list(viewer, query);
      expect(page.data.length).toBeGreaterThan(0);
      pages.push(...page.data.map(({ type }) => type));
      query = page.next_cursor && `?limit=4&after=${page.next_cursor}`;
    }
    expect(pages).toHaveLength((await list(text, '?limit=100')).data.length - 7);
  });

  it('waits with an event that another transaction may still come before', async () => {
    const { text, accountId } = await api.issue();
    const [first, second] = await inOpenTransaction(api.db.owner, async (slow) => {
      const early = await announce(slow, { accountId, sessionId: newUuid() });
      const late = await announce(api.db.owner, { accountId, sessionId: newUuid() });
      expect((await listNow(text)).data).toEqual([]);
      return [early, late] as const;
    });
    await expect
      .poll(async () => (await list(text)).data.map(({ id }) => id))
      .toEqual([toId('event', second), toId('event', first)]);
  });

  it('refuses wrong parameters and ids, and keys without the scope', async () => {
    const { text } = await api.issue();
    const pointer = async (query: string) => {
      const { status, json } = await api.call(text, 'GET', `/v1/events?${query}`);
      expect(status).toBe(422);
      return json().errors?.[0]?.pointer;
    };
    expect(await pointer('type=Message')).toBe('?type');
    expect(await pointer('session=msg_1')).toBe('?session');
    expect(await pointer('message=1')).toBe('?message');
    expect(await pointer('since=yesterday')).toBe('?since');
    expect(await pointer('since=2026-02-01T00:00:00Z&until=2026-01-01T00:00:00Z')).toBe('?since');
    expect(await pointer('after=x')).toBe('?after');
    expect(await pointer('limit=0')).toBe('?limit');
    expect(await pointer('kind=x')).toBe('?kind');
    expect((await api.call(text, 'GET', `/v1/events/${toId('event', newUuid())}`)).status).toBe(404);
    expect((await api.call(text, 'GET', '/v1/events/nonsense')).json().code).toBe('event.not_found');
    const { text: weak } = await api.issue({ scopes: ['messages:read'] });
    for (const path of ['/v1/events', '/v1/events/stream', `/v1/events/${toId('event', newUuid())}`]) {
      expect((await api.call(weak, 'GET', path)).status).toBe(403);
      expect((await fetch(`${api.edge.url}${path}`)).status).toBe(401);
    }
  });
});
