import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newUuid, toId } from '../../../src/lib/ids.ts';
import { seedSession } from '../../support/database.ts';
import { announce } from '../events/open-events.ts';
import { type Delivery, openWebhooksApi, type WebhooksApi } from './open-webhooks.ts';

interface Replayed {
  replayed: number;
  hurried: number;
  created: number;
}

let api: WebhooksApi;
let key: string;
let accountId: string;
beforeAll(async () => {
  api = await openWebhooksApi();
  ({ text: key, accountId } = await api.issue());
});
afterAll(() => api.close());

const replay = (id: string, body?: object) =>
  api.call(key, 'POST', `/v1/webhook-endpoints/${id}/replay`, body);
const replayed = async (id: string, body?: object) => (await replay(id, body)).json<Replayed>();
const yesterday = Date.now() - 86_400_000;
const at = (hour: number) => new Date(yesterday + 3_600_000 * hour);

/** One delivery in each status, of events an hour apart. */
async function everyStatus(body: object = {}) {
  const endpoint = await api.createEndpoint(key, body);
  const statuses = ['delivered', 'failed', 'cancelled', 'pending', 'sending', 'failed'];
  for (const [i, status] of statuses.entries()) {
    const event = await announce(api.db.owner, { accountId, at: at(i), data: {} });
    await api.db.owner.query(
      `update webhook_deliveries set status = $3, attempts = 11, tries = 11, finished_at = now(),
         next_attempt_at = case when $3 = 'pending' then now() + interval '1 hour' end
       where event_id = $1 and endpoint_id = $2`,
      [event, endpoint.uuid, status],
    );
  }
  // Nobody else of this account gets what comes next.
  await api.db.owner.query('update webhook_endpoints set enabled = false where id = $1', [endpoint.uuid]);
  return endpoint;
}
const states = async (uuid: string) =>
  (await api.stored(uuid)).map(({ status, tries, due }) => `${status} ${tries}${due ? ' due' : ''}`);

describe('replaying one delivery', () => {
  it('starts its schedule again; attempts go on counting and the event stays the same', async () => {
    const { uuid } = await everyStatus();
    const rows = await api.stored(uuid);
    api.woken.length = 0;
    for (const row of rows) {
      const answer = await api.call(key, 'POST', `${api.delivery(row.id)}/replay`);
      expect(answer.status).toBe(202);
      expect(answer.json<Delivery>()).toMatchObject({
        id: toId('delivery', row.id),
        event_id: toId('event', row.event_id),
        status: row.status === 'sending' ? 'sending' : 'pending',
        attempt_count: 11,
      });
    }
    expect(await states(uuid)).toEqual([
      'pending 0 due',
      'pending 0 due',
      'pending 0 due',
      'pending 11 due',
      'sending 11',
      'pending 0 due',
    ]);
    expect(api.woken).toContainEqual({ endpointId: uuid, mode: 'test' });
  });

  it('needs an endpoint', async () => {
    const { id, uuid } = await everyStatus();
    const [row] = await api.stored(uuid);
    await api.call(key, 'DELETE', `/v1/webhook-endpoints/${id}`);
    const gone = await api.call(key, 'POST', `${api.delivery(row?.id ?? '')}/replay`);
    expect([gone.status, gone.json().code]).toEqual([409, 'delivery.endpoint_gone']);
    const never = await api.call(key, 'POST', `${api.delivery(newUuid())}/replay`);
    expect([never.status, never.json().code]).toEqual([404, 'delivery.not_found']);
  });
});

describe('replaying deliveries of an endpoint', () => {
  it('takes the failed ones, and those that wait for a later try', async () => {
    const { id, uuid } = await everyStatus();
    api.woken.length = 0;
    const answer = await replay(id);
    expect([answer.status, answer.json()]).toEqual([202, { replayed: 2, hurried: 1, created: 0 }]);
    expect(await states(uuid)).toEqual([
      'delivered 11',
      'pending 0 due',
      'cancelled 11',
      'pending 11 due',
      'sending 11',
      'pending 0 due',
    ]);
    expect((await api.stored(uuid)).map(({ attempts }) => attempts)).toEqual(Array(6).fill(11));
    expect(api.woken).toEqual([{ endpointId: uuid, mode: 'test' }]);
    expect(await replayed(id)).toEqual({ replayed: 0, hurried: 0, created: 0 });
  });

  it('takes all that are finished, where asked', async () => {
    const { id, uuid } = await everyStatus();
    expect(await replayed(id, { status: 'all' })).toEqual({ replayed: 4, hurried: 1, created: 0 });
    expect((await states(uuid)).filter((state) => !state.endsWith('due'))).toEqual(['sending 11']);
  });

  it('takes those of a time range', async () => {
    const { id, uuid } = await everyStatus();
    const range = { since: at(1), until: at(3), status: 'all' };
    expect(await replayed(id, range)).toEqual({ replayed: 2, hurried: 0, created: 0 });
    expect((await states(uuid)).map((state) => state.endsWith('due'))).toEqual([
      false,
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  it('leaves those of other endpoints alone', async () => {
    const mine = await everyStatus();
    const other = await everyStatus();
    await replay(mine.id, { status: 'all' });
    expect((await states(other.uuid))[0]).toBe('delivered 11');
  });

  it.each([
    [{ include_missing: true }, '/since is required with include_missing'],
    [{ since: at(5), until: at(5) }, '/until must be after since'],
    [{ status: 'delivered' }, '/status must be one of "failed", "all"'],
  ])('refuses %j', async (body, problem) => {
    const { id } = await api.createEndpoint(key, { enabled: false });
    const answer = await replay(id, body);
    expect(answer.status).toBe(422);
    expect(answer.json().errors?.map(({ pointer, detail }) => `${pointer} ${detail}`)).toEqual([problem]);
  });
});

describe('replaying events that were missed', () => {
  it('adds those that the endpoint wants and has no delivery of, each once', async () => {
    const { accountId: account, text } = await api.issue();
    const session = await seedSession(api.db, account);
    const elsewhere = await seedSession(api.db, account);
    const message = newUuid();
    const fact = { accountId: account, sessionId: session, data: {} };
    await announce(api.db.owner, { ...fact, type: 'message.sent', messageId: message, at: at(0) });
    const missed = [
      await announce(api.db.owner, { ...fact, type: 'message.sent', messageId: message, at: at(2) }),
      await announce(api.db.owner, { ...fact, type: 'message.read', messageId: message, at: at(3) }),
    ];
    await announce(api.db.owner, { ...fact, at: at(4) });
    await announce(api.db.owner, { ...fact, sessionId: elsewhere, type: 'message.sent', at: at(4) });
    await announce(api.db.owner, { ...fact, accountId, sessionId: null, type: 'message.sent', at: at(4) });
    await announce(api.db.owner, { ...fact, mode: 'live', type: 'message.sent', at: at(4) });
    const { id, uuid } = await api.createEndpoint(text, {
      events: ['message.*'],
      sessions: [toId('session', session)],
    });
    const had = await announce(api.db.owner, { ...fact, type: 'message.failed', at: at(5) });
    await announce(api.db.owner, { ...fact, type: 'message.sent', at: at(7) });

    const body = { since: at(1), until: at(6), include_missing: true };
    const path = `/v1/webhook-endpoints/${id}/replay`;
    const once = () => api.call(text, 'POST', path, body);
    const answers = await Promise.all([once(), once(), once()]);
    const created = answers.map((answer) => answer.json<Replayed>().created);
    expect(created.toSorted()).toEqual([0, 0, 2]);
    const rows = await api.stored(uuid);
    expect(rows.map(({ event_id: event }) => event).slice(0, 3)).toEqual([...missed, had]);
    expect(rows).toHaveLength(4);
    expect(rows.slice(0, 2)).toMatchObject([
      { status: 'pending', due: true, attempts: 0, rank: 2 },
      { status: 'pending', due: true, attempts: 0, rank: 4 },
    ]);
  });
});

describe('a replay of 100,000 deliveries', () => {
  it('is made in batches', async () => {
    const { accountId: account, text } = await api.issue();
    const { id, uuid } = await api.createEndpoint(text);
    // In small transactions: a long one holds back the events of every test that shares the server.
    for (let i = 0; i < 150_000; i += 5_000) {
      await api.db.owner.query(
        `insert into webhook_deliveries (id, account_id, mode, endpoint_id, event_id, event_type, event_at, status, attempts, tries)
         select app.new_uuid(), $1, 'test', $2, app.new_uuid(), 'message.sent', now(), $3, 11, 11
         from generate_series(1, 5000)`,
        [account, uuid, i < 100_000 ? 'failed' : 'delivered'],
      );
    }
    await api.db.owner.query('analyze webhook_deliveries');
    const answer = await api.call(text, 'POST', `/v1/webhook-endpoints/${id}/replay`, {});
    expect(answer.json()).toEqual({ replayed: 100_000, hurried: 0, created: 0 });
    const { rows } = await api.db.owner.query(
      `select count(*)::integer as due from webhook_deliveries where endpoint_id = $1 and status = 'pending' and tries = 0`,
      [uuid],
    );
    expect(rows[0].due).toBe(100_000);
  });
});
