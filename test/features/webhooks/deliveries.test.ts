import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cancelOrphans } from '../../../src/features/webhooks/deliveries.system.ts';
import { responsePurpose } from '../../../src/features/webhooks/webhooks.model.ts';
import { newUuid, toId } from '../../../src/lib/ids.ts';
import { systemClock } from '../../../src/lib/system-clock.ts';
import { seedSession } from '../../support/database.ts';
import { announce as announceNow, type Fact } from '../events/open-events.ts';
import { type Delivery, type Endpoint, openWebhooksApi, type WebhooksApi } from './open-webhooks.ts';

interface Page {
  data: Delivery[];
  has_more: boolean;
  next_cursor: string | null;
}

let api: WebhooksApi;
let key: string;
let accountId: string;
beforeAll(async () => {
  api = await openWebhooksApi();
  ({ text: key, accountId } = await api.issue());
});
afterAll(() => api.close());

/** Announces a fact, a moment after the one before: within a millisecond the order of ids is left to chance. */
async function announce(db: WebhooksApi['db']['owner'], fact: Fact): Promise<string> {
  await systemClock.sleep(2);
  return announceNow(db, fact);
}

const list = async (id: string, query = '', by = key) =>
  api.call(by, 'GET', `/v1/webhook-endpoints/${id}/deliveries${query}`);
const listed = async (id: string, query = '') => (await list(id, query)).json<Page>().data;
const at = (hour: number) => new Date(Date.UTC(2026, 10, 21, hour));

/** An attempt as a worker would record it. */
async function attempt(delivery: string, number: number, over: Record<string, unknown> = {}) {
  const id = newUuid();
  const { rows } = await api.db.owner.query('select * from webhook_deliveries where id = $1', [delivery]);
  const row: Record<string, unknown> = {
    id,
    account_id: accountId,
    mode: 'test',
    delivery_id: delivery,
    endpoint_id: rows[0].endpoint_id,
    number,
    started_at: at(number),
    ...over,
  };
  const columns = Object.keys(row);
  await api.db.owner.query(
    `insert into webhook_attempts (${columns.join(', ')}) values (${columns.map((_, i) => `$${i + 1}`).join(', ')})`,
    Object.values(row),
  );
  return id;
}

describe('the deliveries of an endpoint', () => {
  it('are made with each event that it wants', async () => {
    const wanted = await seedSession(api.db, accountId);
    const all = await api.createEndpoint(key);
    const some = await api.createEndpoint(key, {
      events: ['message.*', 'session.status'],
      sessions: [toId('session', wanted)],
    });
    await api.createEndpoint(key, { enabled: false });
    const events = [
      await announce(api.db.owner, { accountId, sessionId: wanted }),
      await announce(api.db.owner, { accountId, type: 'webhook_endpoint.disabled', data: {} }),
      await announce(api.db.owner, { accountId, sessionId: await seedSession(api.db, accountId) }),
    ];
    const ids = events.map((uuid) => toId('event', uuid)).toReversed();
    expect((await listed(all.id)).map(({ event_id: id }) => id)).toEqual(ids);
    const [first, ...rest] = await listed(some.id);
    expect(rest).toEqual([]);
    expect(first).toMatchObject({
      endpoint_id: some.id,
      event_id: ids[2],
      event_type: 'session.status',
      session_id: toId('session', wanted),
      message_id: null,
      sample: false,
      status: 'pending',
      attempt_count: 0,
      next_attempt_at: expect.any(String),
      finished_at: null,
    });
  });

  it('are filtered by status, type and time, and paged', async () => {
    const { id, uuid } = await api.createEndpoint(key);
    for (const [hour, type] of [
      [1, 'session.status'],
      [2, 'message.sent'],
      [3, 'message.read'],
      [4, 'message.failed'],
    ] as const) {
      await announce(api.db.owner, { accountId, type, at: at(hour), data: {} });
    }
    await api.db.owner.query(
      `update webhook_deliveries set status = 'failed' where endpoint_id = $1 and event_type = 'message.read'`,
      [uuid],
    );
    const types = async (query: string) => (await listed(id, query)).map(({ event_type: type }) => type);
    expect(await types('?status=failed')).toEqual(['message.read']);
    expect(await types('?type=message.*')).toEqual(['message.failed', 'message.read', 'message.sent']);
    expect(await types('?type=session.status,message.read')).toEqual(['message.read', 'session.status']);
    expect(await types(`?since=${at(2).toISOString()}&until=${at(4).toISOString()}`)).toEqual([
      'message.read',
      'message.sent',
    ]);
    const page = (await list(id, '?limit=3&type=*')).json<Page>();
    expect(page).toMatchObject({ has_more: true });
    expect(await types(`?limit=3&after=${page.next_cursor}`)).toEqual(['session.status']);
    for (const [query, pointer] of [
      ['?status=lost', '?status'],
      ['?type=message.seen', '?type'],
      ['?since=now', '?since'],
    ]) {
      const answer = await list(id, query);
      expect([answer.status, answer.json().errors?.[0]?.pointer]).toEqual([422, pointer]);
    }
    expect((await api.call(key, 'GET', `/v1/webhook-endpoints/${id}`)).json<Endpoint>().deliveries).toEqual({
      pending: 3,
      failed: 1,
    });
  });

  it('are cancelled with the endpoint where they wait, and stay listed', async () => {
    const { id, uuid } = await api.createEndpoint(key);
    for (let i = 0; i < 3; i++) await announce(api.db.owner, { accountId, data: {} });
    const [one, two] = await api.stored(uuid);
    await api.db.owner.query(`update webhook_deliveries set status = 'delivered' where id = $1`, [one?.id]);
    await api.db.owner.query(`update webhook_deliveries set status = 'sending' where id = $1`, [two?.id]);
    expect((await api.call(key, 'DELETE', `/v1/webhook-endpoints/${id}`)).status).toBe(204);
    expect((await api.call(key, 'DELETE', `/v1/webhook-endpoints/${id}`)).status).toBe(404);
    expect((await api.stored(uuid)).map(({ status }) => status)).toEqual([
      'delivered',
      'cancelled',
      'cancelled',
    ]);
    expect((await listed(id)).map(({ status }) => status)).toEqual(['cancelled', 'cancelled', 'delivered']);
    expect((await listed(id))[0]).toMatchObject({ next_attempt_at: null, finished_at: expect.any(String) });
    const other = await api.issue();
    expect((await list(id, '', other.text)).status).toBe(404);
  });

  it('does not mind a worker that writes to the endpoint meanwhile', async () => {
    const { id } = await api.createEndpoint(key);
    // Which of the two Postgres ends in a deadlock is a matter of timing, so the deletion is told that it was the one.
    await api.db.owner.query(`
      create sequence deletions;
      create function end_the_first() returns trigger language plpgsql as $$ begin
        if nextval('deletions') = 1 then raise exception using errcode = 'deadlock_detected'; end if;
        return old;
      end $$;
      grant usage on sequence deletions to public;
      create trigger end_the_first before delete on webhook_endpoints for each row execute function end_the_first()`);
    expect((await api.call(key, 'DELETE', `/v1/webhook-endpoints/${id}`)).status).toBe(204);
    const { rows } = await api.db.owner.query(`select last_value::integer as tries from deletions`);
    expect(rows).toEqual([{ tries: 2 }]);
    await api.db.owner.query('drop trigger end_the_first on webhook_endpoints');
  });

  it('are cancelled by the upkeep where they were made while it was deleted', async () => {
    const { uuid } = await api.createEndpoint(key);
    await announce(api.db.owner, { accountId, data: {} });
    const [delivery] = await api.stored(uuid);
    await attempt(delivery?.id ?? '', 1);
    await api.db.owner.query('delete from webhook_endpoints where id = $1', [uuid]);
    expect(await api.db.database.systemOnce((tx) => cancelOrphans(tx, 100))).toBe(1);
    expect(await api.db.database.systemOnce((tx) => cancelOrphans(tx, 100))).toBe(0);
    const detail = await api.call(key, 'GET', api.delivery(delivery?.id ?? ''));
    expect(detail.json<Delivery>()).toMatchObject({
      status: 'cancelled',
      attempts: [{ number: 1, outcome: 'interrupted' }],
    });
  });
});

describe('one delivery', () => {
  it('shows its attempts with what was answered', async () => {
    const { uuid } = await api.createEndpoint(key);
    await announce(api.db.owner, { accountId, data: {} });
    const [delivery] = await api.stored(uuid);
    const id = delivery?.id ?? '';
    const cipher = await api.db.vault.of(accountId);
    const first = await attempt(id, 1, {
      outcome: 'failed',
      duration_ms: 12,
      status_code: 500,
      error: 'status',
    });
    // Cut in the middle of the last character.
    const answer = Buffer.from('<p>Größe</p> €').subarray(0, -1);
    await api.db.owner.query('update webhook_attempts set response = $2 where id = $1', [
      first,
      cipher.seal(answer, responsePurpose(first)),
    ]);
    await attempt(id, 2, { outcome: 'interrupted' });
    await attempt(id, 3);
    await api.db.owner.query(
      `update webhook_deliveries set status = 'sending', attempts = 3, last_status_code = 500, last_error = 'status' where id = $1`,
      [id],
    );
    const shown = (await api.call(key, 'GET', api.delivery(id))).json<Delivery>();
    expect(shown).toMatchObject({
      status: 'sending',
      attempt_count: 3,
      next_attempt_at: null,
      last_status_code: 500,
      last_error: 'status',
    });
    const none = { outcome: null, duration_ms: null, status_code: null, error: null, response: null };
    expect(shown.attempts).toEqual([
      {
        id: toId('attempt', first),
        number: 1,
        started_at: at(1).toISOString(),
        outcome: 'failed',
        duration_ms: 12,
        status_code: 500,
        error: 'status',
        response: '<p>Größe</p> ',
      },
      { ...none, id: expect.any(String), number: 2, started_at: at(2).toISOString(), outcome: 'interrupted' },
      { ...none, id: expect.any(String), number: 3, started_at: at(3).toISOString() },
    ]);
  });

  it('shows what is sent, to keys that may see events', async () => {
    const sessionId = await seedSession(api.db, accountId);
    const { uuid } = await api.createEndpoint(key);
    const eventId = await announce(api.db.owner, { accountId, sessionId });
    const [delivery] = await api.stored(uuid);
    const path = api.delivery(delivery?.id ?? '');
    const event = (await api.call(key, 'GET', path)).json<Delivery>().payload;
    expect(event).toMatchObject({
      id: toId('event', eventId),
      type: 'session.status',
      mode: 'test',
      account_id: toId('account', accountId),
      session_id: toId('session', sessionId),
      data: { id: toId('session', sessionId), status: 'connected' },
    });
    const weak = await api.issue({ scopes: ['webhooks:read'] }, accountId);
    expect((await api.call(weak.text, 'GET', path)).json<Delivery>().payload).toBeNull();
    const reader = await api.issue({ scopes: ['webhooks:read', 'events:read'] }, accountId);
    expect((await api.call(reader.text, 'GET', path)).json<Delivery>().payload).toEqual(event);
    await api.db.owner.query('delete from events where id = $1', [eventId]);
    expect((await api.call(key, 'GET', path)).json<Delivery>().payload).toBeNull();
  });

  it('shows what was sent about payments to keys that may see payments', async () => {
    const { uuid } = await api.createEndpoint(key);
    await announce(api.db.owner, { accountId, type: 'invoice.paid', data: { amount: 1900 } });
    const [delivery] = await api.stored(uuid);
    const path = api.delivery(delivery?.id ?? '');
    const reader = await api.issue({ scopes: ['webhooks:read', 'events:read'] }, accountId);
    expect((await api.call(reader.text, 'GET', path)).json<Delivery>().payload).toBeNull();
    const payer = await api.issue({ scopes: ['webhooks:read', 'events:read', 'billing:read'] }, accountId);
    expect((await api.call(payer.text, 'GET', path)).json<Delivery>().payload).toMatchObject({
      data: { amount: 1900 },
    });
  });

  it('is nobody else’s', async () => {
    const { uuid } = await api.createEndpoint(key);
    await announce(api.db.owner, { accountId, data: {} });
    const [delivery] = await api.stored(uuid);
    const path = api.delivery(delivery?.id ?? '');
    const live = await api.issue({ mode: 'live' }, accountId);
    for (const { text } of [await api.issue(), live]) {
      for (const answer of [
        await api.call(text, 'GET', path),
        await api.call(text, 'POST', `${path}/replay`),
      ]) {
        expect([answer.status, answer.json().code]).toEqual([404, 'delivery.not_found']);
      }
    }
  });
});
