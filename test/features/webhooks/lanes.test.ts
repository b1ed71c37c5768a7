import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newUuid, toId } from '../../../src/lib/ids.ts';
import type { Database } from '../../../src/platform/db/database.ts';
import { seedAccount } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import {
  openWebhookReceiver,
  type ReceivedWebhook,
  type WebhookReceiver,
} from '../../support/webhook-receiver.ts';
import { announce } from '../events/open-events.ts';
import { all, type Deliveries, openDeliveries } from './open-deliveries.ts';

let app: Deliveries;
let receiver: WebhookReceiver;
let accountId: string;
beforeAll(async () => {
  app = await openDeliveries();
});
afterAll(() => app.close());
beforeEach(async () => {
  receiver = await openWebhookReceiver();
  accountId = await seedAccount(app.db);
});
afterEach(async () => {
  await app.closePools();
  await receiver.close();
});

function statusesOf(messageId: string, webhooks: readonly ReceivedWebhook[]): unknown[] {
  return webhooks
    .filter(({ payload }) => payload.data['id'] === toId('message', messageId))
    .map(({ payload }) => payload.data['status']);
}

const STATUSES = ['queued', 'sent', 'delivered', 'read'];

describe('the events of one message', () => {
  it('are sent in order, while other messages go at once', async () => {
    const { id } = await app.seedEndpoint(accountId, receiver.url);
    // So that the lane sends many at once before the messages come.
    await app.openPool({ settings: { lingerMs: 5_000 } });
    for (let i = 0; i < 30; i++) await app.happen({ accountId });
    await app.settled(id, all('delivered', 30));
    receiver.answer(() => ({ status: 200, afterMs: Math.random() * 20 }));
    const messages = Array.from({ length: 20 }, newUuid);
    for (const messageId of messages) {
      // Committed out of order, as a receipt may overtake the ack.
      for (const status of ['queued', 'delivered', 'sent', 'read']) {
        await app.happen({ accountId, messageId, type: `message.${status}`, data: { status } });
      }
    }
    await app.settled(id, all('delivered', 110));
    const ofMessages = receiver.received.slice(30);
    const sequences = messages.map((messageId) => statusesOf(messageId, ofMessages).join(' '));
    // Each was announced before the next was committed, so that only `delivered` may have gone before `sent` was there.
    for (const sequence of sequences) {
      expect([STATUSES.join(' '), 'queued delivered sent read']).toContain(sequence);
    }
    expect(receiver.waiting.most).toBeGreaterThan(1);
  });

  it('that wait together go strictly in order, and a failed one does not hold up the next', async () => {
    const { id } = await app.seedEndpoint(accountId, receiver.url);
    const messages = Array.from({ length: 10 }, newUuid);
    for (const messageId of messages) {
      for (const status of STATUSES.toReversed()) {
        await app.happen({ accountId, messageId, type: `message.${status}`, data: { status } });
      }
    }
    receiver.answer(({ payload }) => (payload.data['status'] === 'sent' ? 500 : 200));
    await app.openPool({ settings: { schedule: [60_000] } });
    await app.settled(id, (rows) => rows.filter(({ status }) => status === 'delivered').length === 30);
    for (const messageId of messages) {
      expect(statusesOf(messageId, receiver.received)).toEqual(STATUSES);
    }
  });
});

describe('a receiver that hangs', () => {
  const HANGS_MS = 60_000;

  it('costs one socket and delays nobody', async () => {
    const { metrics } = await app.openPool({ settings: { timeoutMs: HANGS_MS } });
    const hanging = await openWebhookReceiver();
    hanging.answer('hang');
    await app.seedEndpoint(accountId, hanging.url);
    const { id } = await app.seedEndpoint(accountId, receiver.url);
    for (let i = 0; i < 100; i++) await app.happen({ accountId });
    await app.settled(id, all('delivered', 100));
    expect(Math.max(...metrics.latencies)).toBeLessThan(HANGS_MS);
    expect(hanging.waiting.most).toBe(1);
    expect(hanging.connections()).toBe(1);
    await hanging.close();
  });

  it('in the middle of a long answer has no more connections than a lane has requests', async () => {
    await app.openPool({ settings: { timeoutMs: HANGS_MS, concurrency: 5 } });
    const { id } = await app.seedEndpoint(accountId, receiver.url);
    receiver.answer({ status: 200, body: 'x'.repeat(5_000), endless: true });
    for (let i = 0; i < 60; i++) await app.happen({ accountId });
    await app.settled(id, all('delivered', 60));
    // The receiver may hear of the end of some after it has heard of the next.
    expect(receiver.waiting.most).toBeLessThanOrEqual(10);
  });

  it('after a good start gets back what was taken for it, and one request at a time', async () => {
    await app.openPool({ settings: { timeoutMs: 3_000, lingerMs: 60_000 } });
    const { id } = await app.seedEndpoint(accountId, receiver.url);
    for (let i = 0; i < 50; i++) await app.happen({ accountId });
    await app.settled(id, all('delivered', 50));
    receiver.answer('hang');
    for (let i = 0; i < 300; i++) await app.happen({ accountId });
    const count = async (status: string) =>
      (await app.deliveries(id)).filter((row) => row.status === status).length;
    await eventually(
      () => count('sending'),
      (sending) => sending <= 20 && sending > 0,
    );
    await eventually(
      () => count('sending'),
      (sending) => sending === 1,
    );
    receiver.answer(200);
    await app.settled(id, all('delivered', 350));
  });
});

describe('a lane', () => {
  it('with nothing to do gives the endpoint back, and the next event opens another', async () => {
    const offered: string[] = [];
    const waker = { offer: (endpointId: string) => void offered.push(endpointId) };
    const { pool } = await app.openPool({ settings: { lingerMs: 50, sweepMs: 60_000 }, parts: { waker } });
    const { id } = await app.seedEndpoint(accountId, receiver.url);
    await app.happen({ accountId });
    await app.settled(id, all('delivered', 1));
    await eventually(
      () => pool.state().lanes,
      (lanes) => lanes === 0,
    );
    const { rows } = await app.db.owner.query('select owner from webhook_lanes where endpoint_id = $1', [id]);
    expect(rows).toEqual([{ owner: null }]);
    expect(offered).toEqual([]);
    await app.happen({ accountId });
    await app.settled(id, all('delivered', 2));
  });

  it('that is about to go does not miss an event of that very moment, of which nobody tells', async () => {
    const { database: real } = app.db;
    let released = 0;
    const database: Database = {
      ...real,
      systemOnce: (work) =>
        real.systemOnce(async (tx) => {
          const query: typeof tx.query = async (text, values) => {
            if (text.includes('set owner = null') && released++ === 0)
              await announce(app.db.owner, { accountId });
            return tx.query(text, values);
          };
          return work({ ...tx, query });
        }),
    };
    await app.openPool({ database, settings: { lingerMs: 50, sweepMs: 60_000 } });
    const { id } = await app.seedEndpoint(accountId, receiver.url);
    await app.happen({ accountId });
    await app.settled(id, all('delivered', 2));
    expect(released).toBeGreaterThan(0);
  });

  it('that waits long for a next try arranges to be woken for it', async () => {
    const offered: { endpointId: string; delayMs: number }[] = [];
    const waker = {
      offer: (endpointId: string, _mode: string, delayMs = 0) => void offered.push({ endpointId, delayMs }),
    };
    const { pool } = await app.openPool({
      settings: { lingerMs: 50, schedule: [600_000] },
      parts: { waker },
    });
    const { id } = await app.seedEndpoint(accountId, receiver.url);
    receiver.answer(500);
    await app.happen({ accountId });
    await eventually(
      () => offered.length,
      (count) => count > 0,
    );
    expect(pool.state().lanes).toBe(0);
    const [offer] = offered;
    expect(offer?.endpointId).toBe(id);
    expect(offer?.delayMs).toBeGreaterThan(400_000);
    expect(offer?.delayMs).toBeLessThan(700_000);
  });

  it('is lost with its endpoint', async () => {
    const { pool } = await app.openPool();
    const { id } = await app.seedEndpoint(accountId, receiver.url);
    await app.happen({ accountId });
    await app.settled(id, all('delivered', 1));
    await app.db.owner.query('delete from webhook_endpoints where id = $1', [id]);
    await eventually(
      () => pool.state().lanes,
      (lanes) => lanes === 0,
    );
  });

  it('is not opened beyond what the process may have, and idle ones make room', async () => {
    const { pool } = await app.openPool({ settings: { lanes: 2, lingerMs: 60_000 } });
    const endpoints = await Promise.all(
      Array.from({ length: 6 }, () => app.seedEndpoint(accountId, receiver.url)),
    );
    await app.happen({ accountId });
    for (const { id } of endpoints) await app.settled(id, all('delivered', 1));
    expect(pool.state().lanes).toBeLessThanOrEqual(2);
  });
});
