import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/lib/system-clock.ts';
import { announce } from '../events/open-events.ts';
import { type Delivery, type Endpoint, openWebhooksApi, type WebhooksApi } from './open-webhooks.ts';

const PATH = '/v1/webhook-endpoints';

let api: WebhooksApi;
let key: string;
let accountId: string;
beforeAll(async () => {
  api = await openWebhooksApi();
});
afterAll(() => api.close());
beforeEach(async () => {
  ({ text: key, accountId } = await api.issue());
});

const change = async (id: string, body: object) =>
  (await api.call(key, 'PATCH', `${PATH}/${id}`, body)).json<Endpoint>();
const show = async (id: string) => (await api.call(key, 'GET', `${PATH}/${id}`)).json<Endpoint>();
const rest = (uuid: string, interval: string) =>
  api.db.owner.query(`update webhook_endpoints set resting_until = now() + $2::interval where id = $1`, [
    uuid,
    interval,
  ]);

describe('switching an endpoint off and on', () => {
  it('clears why it was off, and wakes whoever delivers', async () => {
    const { id, uuid } = await api.createEndpoint(key);
    const off = await change(id, { enabled: false });
    expect(off).toMatchObject({ enabled: false, disabled_reason: null });
    expect(off.disabled_at).not.toBeNull();
    await api.db.owner.query(
      `update webhook_endpoints set disabled_reason = 'failing', failing_since = now() where id = $1`,
      [uuid],
    );
    expect(await show(id)).toMatchObject({ disabled_reason: 'failing', failing_since: expect.any(String) });
    api.woken.length = 0;
    expect((await change(id, { description: 'x' })).disabled_reason).toBe('failing');
    expect(api.woken).toEqual([]);
    const on = await change(id, { enabled: true });
    expect(on).toMatchObject({ enabled: true, disabled_reason: null, failing_since: null });
    expect(api.woken).toEqual([{ endpointId: uuid, mode: 'test' }]);
  });

  it('leaves `disabled_at`, since which one replay brings what happened meanwhile', async () => {
    const { id, uuid } = await api.createEndpoint(key);
    await announce(api.db.owner, { accountId });
    const off = await change(id, { enabled: false });
    await systemClock.sleep(2);
    const missed = [await announce(api.db.owner, { accountId }), await announce(api.db.owner, { accountId })];
    const { disabled_at: since } = await change(id, { enabled: true });
    expect(since).toBe(off.disabled_at);
    const answer = await api.call(key, 'POST', `${PATH}/${id}/replay`, { include_missing: true, since });
    expect(answer.json()).toEqual({ replayed: 0, hurried: 0, created: 2 });
    const events = (await api.stored(uuid)).map(({ event_id: event }) => event);
    expect(events).toHaveLength(3);
    expect(events).toEqual(expect.arrayContaining(missed));
  });
});

describe('an endpoint whose receiver asked for rest', () => {
  it('says until when, while it rests', async () => {
    const { id, uuid, resting_until: atFirst } = await api.createEndpoint(key);
    expect(atFirst).toBeNull();
    await rest(uuid, '1 hour');
    expect(Date.parse((await show(id)).resting_until ?? '')).toBeGreaterThan(Date.now());
    await rest(uuid, '-1 second');
    expect(await show(id)).toMatchObject({ resting_until: null });
  });

  it('rests no more once it was enabled or has another URL, and goes on after any other change', async () => {
    const { id, uuid } = await api.createEndpoint(key);
    for (const body of [{ url: 'https://hooks.example.com/moved' }, { enabled: false }, { enabled: true }]) {
      await rest(uuid, '1 hour');
      expect(await change(id, body)).toMatchObject({ ...body, resting_until: null });
    }
    await rest(uuid, '1 hour');
    expect((await change(id, { description: 'x' })).resting_until).not.toBeNull();
  });

  it('has no delivery that is to be tried before', async () => {
    const { id, uuid } = await api.createEndpoint(key);
    await announce(api.db.owner, { accountId });
    const list = async () =>
      (await api.call(key, 'GET', `${PATH}/${id}/deliveries`)).json<{ data: Delivery[] }>().data[0];
    const due = (await list())?.next_attempt_at;
    await rest(uuid, '1 hour');
    const { resting_until: until } = await show(id);
    const waits = await list();
    expect(waits?.next_attempt_at).toBe(until);
    const path = `/v1/deliveries/${waits?.id}`;
    expect((await api.call(key, 'GET', path)).json<Delivery>().next_attempt_at).toBe(until);
    const again = (await api.call(key, 'POST', `${path}/replay`)).json<Delivery>();
    expect(again).toMatchObject({ status: 'pending', next_attempt_at: due });
    expect(await show(id)).toMatchObject({ resting_until: null });
    await rest(uuid, '1 hour');
    const sample = await api.call(key, 'POST', `${PATH}/${id}/test`, { type: 'message.read' });
    const { next_attempt_at: at, id: sampleId } = sample.json<Delivery>();
    expect(Date.parse(at ?? '')).toBeLessThan(Date.parse(until ?? ''));
    const shown = await api.call(key, 'GET', `/v1/deliveries/${sampleId}`);
    expect(shown.json<Delivery>().next_attempt_at).toBe(at);
  });
});
