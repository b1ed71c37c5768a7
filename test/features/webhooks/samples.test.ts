import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { explain } from '../../../src/features/abuse/abuse.model.ts';
import { alertView } from '../../../src/features/abuse/abuse.schema.ts';
import { EVENT_TYPES } from '../../../src/features/events/events.events.ts';
import { messageView } from '../../../src/features/messages/messages.schema.ts';
import { firedTriggerData } from '../../../src/features/triggers/fired-trigger.schema.ts';
import { EVENT_TYPE_NAMES } from '../../../src/features/webhooks/event-types.ts';
import { samplePayload } from '../../../src/features/webhooks/sample-event.ts';
import { newUuid, toId } from '../../../src/lib/ids.ts';
import { EVENT_DATA } from '../../../src/roles/event-subjects.ts';
import { type Delivery, openWebhooksApi, type WebhooksApi } from './open-webhooks.ts';

let api: WebhooksApi;
let key: string;
let accountId: string;
beforeAll(async () => {
  api = await openWebhooksApi();
  ({ text: key, accountId } = await api.issue());
});
afterAll(() => api.close());

const send = (id: string, body: unknown) => api.call(key, 'POST', `/v1/webhook-endpoints/${id}/test`, body);

/** Fields that only some events of a kind have. */
const SOMETIMES = ['to', 'from', 'refund_amount'];

/** The schema of an event's data. */
function dataOf(type: string): z.ZodObject {
  const schema = EVENT_DATA[type] ?? EVENT_DATA[`${type.split('.')[0]}.*`];
  if (!(schema instanceof z.ZodObject)) throw new Error(`nothing says what ${type} holds`);
  return schema;
}

describe('a sample event', () => {
  const input = { eventId: newUuid(), at: new Date(), mode: 'live', accountId: newUuid() } as const;

  it.each(EVENT_TYPE_NAMES)('of %s has the shape of the real one, and a mark', (type) => {
    const payload = samplePayload({ ...input, type });
    expect(payload).toMatchObject({
      id: toId('event', input.eventId),
      type,
      created_at: input.at.toISOString(),
      mode: 'live',
      account_id: toId('account', input.accountId),
      sample: true,
    });
    if (type.startsWith('message.')) {
      const message = messageView.strict().parse(payload.data);
      expect(message.status).toBe(type.slice('message.'.length));
      expect(message.timestamps).toHaveProperty(message.status, input.at.toISOString());
    }
    const schema = dataOf(type);
    schema.strict().parse(payload.data);
    const fields = Object.keys(schema.shape).filter((field) => !SOMETIMES.includes(field));
    expect(Object.keys(payload.data)).toEqual(expect.arrayContaining(fields));
    if (type === 'account.suspicious_activity') {
      const { kind, detail, message } = alertView.parse(payload.data);
      const { what, advice } = explain(kind, detail);
      expect(message).toBe(`${what} ${advice}`);
    }
    if (type === 'trigger.fired') {
      const fired = firedTriggerData(messageView).strict().parse(payload.data);
      // A code was in the reply, which is a message of its own.
      expect(fired.code).not.toBeNull();
      expect(fired.reply_message_id).toMatch(/^msg_/);
      expect(fired.reply_message_id).not.toBe(fired.message_id);
    }
    expect(samplePayload({ ...input, type })).toEqual(payload);
  });

  it('becomes a delivery like any other, whatever the endpoint wants', async () => {
    const { id, uuid } = await api.createEndpoint(key, { events: ['message.read'] });
    api.woken.length = 0;
    const answer = await send(id, { type: 'message.received' });
    const delivery = answer.json<Delivery>();
    expect(answer.status).toBe(202);
    expect(delivery).toMatchObject({
      endpoint_id: id,
      event_type: 'message.received',
      sample: true,
      status: 'pending',
      attempt_count: 0,
    });
    expect(api.woken).toEqual([{ endpointId: uuid, mode: 'test' }]);
    expect(await api.stored(uuid)).toMatchObject([{ due: true, event_type: 'message.received' }]);
    const shown = (await api.call(key, 'GET', `/v1/deliveries/${delivery.id}`)).json<Delivery>();
    expect(shown.payload).toMatchObject({
      id: delivery.event_id,
      account_id: toId('account', accountId),
      sample: true,
      data: { from: { phone: '919876543210', name: 'Asha' } },
    });
  });

  it.each(EVENT_TYPE_NAMES)(
    'of %s is listed with the session and the message of its payload',
    async (type) => {
      const { id } = await api.createEndpoint(key);
      const sent = (await send(id, { type })).json<Delivery>();
      const shown = (await api.call(key, 'GET', `/v1/deliveries/${sent.id}`)).json<Delivery>();
      const { session_id: session, data } = shown.payload ?? {};
      const { id: subject, message_id: message = subject } = Object(data);
      const messageId = /^(message|trigger)\./.test(type) ? message : null;
      for (const delivery of [sent, shown]) {
        expect(delivery).toMatchObject({ session_id: session, message_id: messageId });
      }
    },
  );

  it('is not sent to a disabled endpoint, nor of a type that there is none of', async () => {
    const { id } = await api.createEndpoint(key, { enabled: false });
    const off = await send(id, { type: 'message.received' });
    expect([off.status, off.json().code]).toEqual([409, 'webhook_endpoint.not_enabled']);
    const unknown = await send(id, { type: 'message.seen' });
    expect([unknown.status, unknown.json().errors?.[0]?.pointer]).toEqual([422, '/type']);
  });
});

describe('the list of types', () => {
  it('has every type with a description and a sample', async () => {
    const { json } = await api.call(key, 'GET', '/v1/event-types');
    const { data } = json<{ data: { type: string; description: string; sample: { type: string } }[] }>();
    expect(Object.fromEntries(data.map(({ type, description }) => [type, description]))).toEqual(EVENT_TYPES);
    expect(data.map(({ sample }) => sample.type)).toEqual(data.map(({ type }) => type));
  });

  it('has every type that the program announces', async () => {
    const { rows } = await api.db.owner.query<{ prosrc: string }>(
      `select prosrc from pg_proc where pronamespace = 'app'::regnamespace`,
    );
    const announced = rows.flatMap(({ prosrc }) =>
      [...prosrc.matchAll(/'((?:session|message|trigger|webhook_endpoint)\.[a-z_]+)'/g)].map(
        ([, type]) => type,
      ),
    );
    expect(announced).toContain('message.queued');
    expect(announced.filter((type) => !Object.keys(EVENT_TYPES).includes(type ?? ''))).toEqual([]);
  });
});
