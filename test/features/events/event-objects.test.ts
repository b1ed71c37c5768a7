import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EVENT_TYPES } from '../../../src/features/events/events.events.ts';
import { newUuid, toId } from '../../../src/lib/ids.ts';
import { EVENT_DATA } from '../../../src/roles/event-subjects.ts';
import type { Json } from '../../support/api-client.ts';
import { eventually } from '../../support/eventually.ts';
import { openWebhookReceiver, type WebhookReceiver } from '../../support/webhook-receiver.ts';
import { type EventObjects, openEventObjects } from './open-event-objects.ts';
import { follow } from './open-events.ts';

let world: EventObjects;
let receiver: WebhookReceiver;
let accountId: string;
beforeAll(async () => {
  world = await openEventObjects();
});
afterAll(() => world.close());
beforeEach(async () => {
  receiver = await openWebhookReceiver();
  accountId = await world.account();
});
afterEach(() => receiver.close());

const key = (mode: 'test' | 'live') => `${accountId}/${mode}`;
const get = (mode: 'test' | 'live', path: string) => world.call(key(mode), 'GET', path);
const first = async (mode: 'test' | 'live', path: string) => (await get(mode, path)).data[0];
const endpoint = (mode: 'test' | 'live', more: object = {}) =>
  world.call(key(mode), 'POST', '/v1/webhook-endpoints', { url: receiver.url, ...more });

/** The events of a type, oldest first, once there are so many. */
async function eventsOf(mode: 'test' | 'live', type: string, count = 1): Promise<Json[]> {
  const list = async () => (await get(mode, `/v1/events?type=${type}`)).data;
  return (await eventually(list, (found) => found.length === count)).toReversed();
}

/** The one event of the type, which left the same by every way. */
async function told(mode: 'test' | 'live', type: string): Promise<Json> {
  const [event] = await eventsOf(mode, type);
  const webhook = await eventually(
    () => receiver.received.find(({ id }) => id === event.id),
    (found) => found !== undefined,
  );
  expect(webhook?.payload.data).toEqual(event.data);
  expect((await get(mode, `/v1/events/${event.id}`)).data).toEqual(event.data);
  const [{ id }] = (await get(mode, '/v1/webhook-endpoints')).data.slice(-1);
  const { data: deliveries } = await get(mode, `/v1/webhook-endpoints/${id}/deliveries?type=${type}`);
  expect((await get(mode, `/v1/deliveries/${deliveries[0].id}`)).payload.data).toEqual(event.data);
  return event;
}

const newPayment = () => `pi_${newUuid()}`;
const refundIs = (inAll: number) => (payment: string) => world.refund(accountId, payment, inAll);
const disputeIs = (status: 'open' | 'won' | 'lost') => (payment: string) =>
  world.dispute(accountId, payment, status);

/** An invoice that was paid, and to whose payment these things happened. */
function invoiceAfter(...steps: ((payment: string) => Promise<void>)[]) {
  const cause = async (): Promise<Json> => {
    const payment = newPayment();
    await world.pay(accountId, payment);
    for (const step of steps) await step(payment);
    return first('live', '/v1/billing/invoices');
  };
  return { mode: 'live', cause } as const;
}

/** For each type: what causes it, and the object that the API then returns. */
const ABOUT = {
  'session.status': {
    mode: 'test',
    async cause() {
      const { hold, report } = await world.session(accountId);
      await report({ status: 'banned', code: 'session.banned', detail: 'Banned.', wanted: false });
      return get('test', `/v1/sessions/${toId('session', hold.sessionId)}`);
    },
  },
  'message.queued': {
    mode: 'test',
    async cause() {
      const id = await world.app.send(accountId, 'hello');
      return get('test', `/v1/messages/${toId('message', id)}`);
    },
  },
  'account.suspicious_activity': {
    mode: 'test',
    async cause() {
      await world.alert(accountId);
      return first('test', '/v1/account/alerts');
    },
  },
  'webhook_endpoint.disabled': {
    mode: 'test',
    async cause() {
      const url = new URL('/gone', receiver.url).href;
      const headers = { authorization: 'Bearer 7d1f0c2b9a7d1f0c2b9a' };
      receiver.answer(({ path }) => (path === '/gone' ? 410 : 200));
      const { id } = await endpoint('test', { url, headers, events: ['session.status'] });
      await world.app.happen({ accountId });
      const find = async () =>
        (await get('test', '/v1/webhook-endpoints')).data.find((one: Json) => one.id === id);
      return eventually(find, (found) => !found.enabled);
    },
  },
  'invoice.paid': invoiceAfter(),
  'invoice.refunded': invoiceAfter(disputeIs('won'), refundIs(1_000)),
  'invoice.refund_failed': invoiceAfter(refundIs(1_000), refundIs(0)),
  'invoice.disputed': invoiceAfter(refundIs(1_000), disputeIs('open')),
  'invoice.dispute_closed': invoiceAfter(disputeIs('lost')),
} satisfies Record<string, { mode: 'test' | 'live'; cause: () => Promise<Json> }>;

describe('the data of an event', () => {
  it.each(Object.entries(ABOUT))('of %s is the object that the API returns', async (type, about) => {
    await endpoint(about.mode);
    const object = await about.cause();
    const { data } = await told(about.mode, type);
    // Just now nothing has changed since.
    expect(data).toMatchObject(object);
    expect(Object.keys(data)).toEqual(expect.arrayContaining(Object.keys(object)));
    expect(JSON.stringify(data)).not.toMatch(/whsec_|7d1f0c2b9a7d/);
  });

  it('of subscription.changed and quota.* is an object of its own', async () => {
    await endpoint('live');
    await world.unsettle(accountId);
    const { data: change } = await told('live', 'subscription.changed');
    expect(change).toEqual({
      plan: expect.any(String),
      status: expect.any(String),
      until: expect.toSatisfy((until) => until === null || typeof until === 'string'),
      previous_plan: 'growth',
    });

    await endpoint('test');
    await world.db.owner.query(
      `update quotas set message_limit = 1, unreserved = 1 where account_id = $1 and mode = 'test'`,
      [accountId],
    );
    await world.app.send(accountId, 'the last one');
    const { data: quota } = await told('test', 'quota.reached');
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(quota).toEqual({ unit: 'messages', limit: 1, used: 1, period_start: time, period_end: time });
  });

  it('is the same in the stream', async () => {
    const stream = await follow(world.edge.url, key('test'));
    const { report } = await world.session(accountId);
    await report({ status: 'connected', wanted: true });
    await expect.poll(() => stream.events().length).toBe(1);
    const [event] = await eventsOf('test', 'session.status');
    expect(stream.events()[0]?.data).toEqual(event);
    expect(event.data).toHaveProperty('pacing');
    stream.close();
  });

  it('is described for every type', () => {
    const kinds = Object.keys(EVENT_DATA);
    const isOf = (kind: string, type: string) => type === kind || type.startsWith(kind.replace('*', ''));
    for (const type of Object.keys(EVENT_TYPES)) {
      expect([type, kinds.filter((kind) => isOf(kind, type)).length]).toEqual([type, 1]);
    }
  });
});

describe('an event whose object has moved on', () => {
  it('keeps the status, reason, time and number that a session had then', async () => {
    const { hold, report } = await world.session(accountId);
    await report({ status: 'connected', wanted: true });
    await report({ status: 'disconnected', code: 'session.timed_out', detail: 'Lost.', wanted: true });
    await world.reports.eraseLink(hold);
    await report({ status: 'logged_out', code: 'session.logged_out', wanted: false });
    const id = toId('session', hold.sessionId);
    await world.call(key('test'), 'PATCH', `/v1/sessions/${id}`, { name: 'renamed' });

    const [connected, lost, out] = await eventsOf('test', 'session.status', 3);
    const reason = { code: 'session.timed_out', detail: 'Lost.' };
    expect(connected.data).toMatchObject({
      ...{ id, name: 'renamed', status: 'connected', status_reason: null, code: null, detail: null },
      ...{ status_at: connected.created_at, phone: '+919876500000', linked_at: null },
    });
    expect(lost.data).toMatchObject({ status: 'disconnected', status_reason: reason, ...reason });
    expect(lost.data).toMatchObject({ status_at: lost.created_at, phone: '+919876500000' });
    expect(out.data).toEqual({
      ...(await get('test', `/v1/sessions/${id}`)),
      ...{ code: 'session.logged_out', detail: null },
    });
  });

  it('keeps what a payment was when it came, when it was refunded and when it was disputed', async () => {
    const payment = newPayment();
    await world.pay(accountId, payment);
    await world.refund(accountId, payment, 1_000);
    await world.dispute(accountId, payment, 'open');
    await world.refund(accountId, payment, 1_500);
    const [paid] = await eventsOf('live', 'invoice.paid');
    const [once, twice] = await eventsOf('live', 'invoice.refunded', 2);
    const [disputed] = await eventsOf('live', 'invoice.disputed');
    expect(paid.data).toMatchObject({ amount_refunded: 0, refund_status: null, dispute: null });
    expect(once.data).toMatchObject({ refund_amount: 1_000, amount_refunded: 1_000, dispute: null });
    expect(disputed.data).toMatchObject({ amount_refunded: 1_000, dispute: { status: 'open' } });
    expect(twice.data).toMatchObject({ refund_amount: 500, amount_refunded: 1_500 });
    expect(twice.data.dispute).toEqual(disputed.data.dispute);
  });

  it('keeps that an endpoint was off, and where, though it is on again elsewhere', async () => {
    const was = await ABOUT['webhook_endpoint.disabled'].cause();
    const path = `/v1/webhook-endpoints/${was.id}`;
    await world.call(key('test'), 'PATCH', path, { enabled: true, url: new URL('/new', receiver.url).href });
    const [{ data }] = await eventsOf('test', 'webhook_endpoint.disabled');
    expect(data).toEqual({ ...was, reason: 'gone' });
  });

  it('keeps an alert as it was raised', async () => {
    await world.alert(accountId);
    const was = await first('test', '/v1/account/alerts');
    await world.db.owner.query(
      `update account_alerts set count = 7, factor = null, last_at = now() where account_id = $1`,
      [accountId],
    );
    const [{ data }] = await eventsOf('test', 'account.suspicious_activity');
    expect(data).toEqual(was);
  });
});

describe('an event whose object is gone', () => {
  it('holds what the fact says of it, by every way', async () => {
    const { hold, report } = await world.session(accountId);
    await report({ status: 'failed', code: 'session.x', detail: 'Why.', wanted: false });
    await world.reports.deleted(hold);
    await world.pay(accountId, newPayment());
    await world.db.owner.query('delete from invoices where account_id = $1', [accountId]);
    const { id } = await ABOUT['webhook_endpoint.disabled'].cause();
    await world.call(key('test'), 'DELETE', `/v1/webhook-endpoints/${id}`);
    // Endpoints made since get what they missed.
    for (const mode of ['test', 'live'] as const) {
      const made = await endpoint(mode);
      await world.call(key(mode), 'POST', `/v1/webhook-endpoints/${made.id}/replay`, {
        ...{ status: 'all', include_missing: true, since: '2026-01-01T00:00:00Z' },
      });
    }

    const [status] = await eventsOf('test', 'session.status', 2);
    expect(status.data).toEqual({
      ...{ id: toId('session', hold.sessionId), mode: 'test', phone: '+919876500000', status: 'failed' },
      ...{ status_at: status.created_at, status_reason: { code: 'session.x', detail: 'Why.' } },
      ...{ code: 'session.x', detail: 'Why.' },
    });
    expect((await told('live', 'invoice.paid')).data).toEqual({
      ...{ id: expect.stringMatching(/^inv_/), number: 'INV-1' },
      ...{ amount: 4_900, currency: 'USD', plan: 'growth' },
    });
    const off = await told('test', 'webhook_endpoint.disabled');
    expect(off.data).toMatchObject({ id, enabled: false, reason: 'gone', disabled_reason: 'gone' });
    expect(off.data).not.toHaveProperty('events');
  });
});
