import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { responsePurpose, sealSecret } from '../../../src/features/webhooks/webhooks.model.ts';
import { newUuid, toId } from '../../../src/lib/ids.ts';
import { newWebhookSecret } from '../../../src/platform/crypto/webhook-signature.ts';
import { contextOf } from '../../support/context.ts';
import { seedAccount } from '../../support/database.ts';
import { openWebhookReceiver, verifyWebhook, type WebhookReceiver } from '../../support/webhook-receiver.ts';
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

describe('an event that an endpoint wants', () => {
  it('arrives signed, as the API shows it, and its delivery and attempt are on record', async () => {
    const { metrics } = await app.openPool();
    const { id, secret } = await app.seedEndpoint(accountId, receiver.url, { headers: { 'X-Team': 'blue' } });
    receiver.answer({ status: 202, body: 'thank you' });
    const messageId = await app.send(accountId, 'héllo');
    const [delivery] = await app.settled(id, all('delivered', 1));

    expect(receiver.received).toHaveLength(1);
    const [webhook] = receiver.received;
    if (webhook === undefined || delivery === undefined) throw new Error('nothing came');
    verifyWebhook(webhook, secret);
    expect(webhook.headers).toMatchObject({
      'content-type': 'application/json',
      'user-agent': 'Pingr-Webhooks/1',
      'x-team': 'blue',
      'webhook-id': toId('event', delivery.event_id),
      'x-pingr-signature': expect.stringMatching(/^t=\d+,v1=[0-9a-f]{64}$/),
    });
    expect(webhook.payload).toEqual({
      id: toId('event', delivery.event_id),
      type: 'message.queued',
      created_at: delivery.event_at.toISOString(),
      mode: 'test',
      account_id: toId('account', accountId),
      session_id: expect.stringMatching(/^ses_/),
      data: expect.objectContaining({
        id: toId('message', messageId),
        status: 'queued',
        text: { body: 'héllo' },
        to: '+919876543210',
      }),
    });

    expect(delivery).toMatchObject({ attempts: 1, tries: 1, last_status_code: 202, last_error: null });
    const [attempt] = await app.attempts(delivery.id);
    expect(attempt).toMatchObject({ number: 1, outcome: 'succeeded', status_code: 202, error: null });
    const cipher = await app.db.vault.of(accountId);
    const sealed = attempt?.response ?? new Uint8Array();
    expect(cipher.open(sealed, responsePurpose(attempt?.id ?? '')).toString()).toBe('thank you');
    expect(metrics.attempts).toEqual(['succeeded']);
    expect(metrics.latencies[0]).toBeLessThan(5_000);
  });

  it('keeps the first 4 KB of a long answer', async () => {
    await app.openPool();
    const { id } = await app.seedEndpoint(accountId, receiver.url);
    receiver.answer({ status: 200, body: 'x'.repeat(10_000) });
    await app.happen({ accountId });
    const [delivery] = await app.settled(id, all('delivered', 1));
    const [attempt] = await app.attempts(delivery?.id ?? '');
    const cipher = await app.db.vault.of(accountId);
    const sealed = attempt?.response ?? new Uint8Array();
    expect(cipher.open(sealed, responsePurpose(attempt?.id ?? ''))).toHaveLength(4_096);
  });

  it('is signed with both secrets while one is being rotated out', async () => {
    await app.openPool();
    const { id, secret: old } = await app.seedEndpoint(accountId, receiver.url);
    const fresh = newWebhookSecret((size) => Buffer.alloc(size, 7));
    const cipher = await app.db.vault.of(accountId);
    const rotate = (until: string) =>
      app.db.owner.query(
        `update webhook_endpoints set secret = $2, previous_secret = $3, previous_secret_until = now() + $4::interval
         where id = $1`,
        [id, sealSecret(fresh, id, cipher), sealSecret(old, id, cipher), until],
      );
    await rotate('1 hour');
    await app.happen({ accountId });
    await app.settled(id, all('delivered', 1));
    const [during] = receiver.received;
    if (during === undefined) throw new Error('nothing came');
    for (const secret of [old, fresh]) verifyWebhook(during, secret);

    await rotate('-1 second');
    await app.happen({ accountId });
    await app.settled(id, all('delivered', 2));
    const after = receiver.received[1];
    if (after === undefined) throw new Error('nothing came');
    verifyWebhook(after, fresh);
    expect(() => verifyWebhook(after, old)).toThrow();
  });

  it('goes to every endpoint that wants it, with the same bytes', async () => {
    await app.openPool();
    const endpoints = await Promise.all(
      ['/a', '/b', '/c'].map((path) => app.seedEndpoint(accountId, new URL(path, receiver.url).href)),
    );
    await app.seedEndpoint(accountId, new URL('/no', receiver.url).href, { events: ['session.*'] });
    await app.send(accountId, 'hello');
    for (const { id } of endpoints) await app.settled(id, all('delivered', 1));
    expect(receiver.received.map(({ path }) => path).toSorted()).toEqual(['/a', '/b', '/c']);
    expect(new Set(receiver.received.map(({ body }) => body)).size).toBe(1);
  });

  it('that is a sample is made up, and marked', async () => {
    await app.openPool();
    const { id } = await app.seedEndpoint(accountId, receiver.url);
    await app.db.owner.query(
      `insert into webhook_deliveries (id, account_id, mode, endpoint_id, event_id, event_type, event_at, sample)
       values ($1, $2, 'test', $3, $4, 'message.received', now(), true)`,
      [newUuid(), accountId, id, newUuid()],
    );
    await app.settled(id, all('delivered', 1));
    expect(receiver.received[0]?.payload).toMatchObject({ type: 'message.received', sample: true });
  });

  it('that nobody announced is found by the sweep', async () => {
    await app.openPool();
    const { id } = await app.seedEndpoint(accountId, receiver.url);
    await app.db.owner.query('select app.announce($1, $2, $3, $4, null, null, $5, now())', [
      newUuid(),
      accountId,
      'test',
      'session.status',
      { status: 'connected' },
    ]);
    await app.settled(id, all('delivered', 1));
  });

  it('arrives while a message has content that cannot be read: only that delivery fails', async () => {
    const { id } = await app.seedEndpoint(accountId, receiver.url);
    const good = await app.send(accountId, 'good');
    const bad = await app.send(accountId, 'bad');
    await app.send(accountId, 'fine');
    await app.db.owner.query(`update messages set content = '\\x01aa' where id = $1`, [bad]);
    await app.happen({ accountId });
    await app.db.owner.query('delete from events where message_id = $1', [good]);
    await app.openPool();
    const rows = await app.settled(id, (found) => found.every(({ finished_at: at }) => at !== null));
    const byMessage = new Map(rows.map((row) => [row.message_id, row]));
    expect(byMessage.get(bad)).toMatchObject({ status: 'failed', last_error: 'event_unreadable' });
    expect(byMessage.get(good)).toMatchObject({ status: 'failed', last_error: 'event_gone' });
    expect(rows.filter(({ status }) => status === 'delivered')).toHaveLength(2);
    expect(await app.endpoint(id)).toMatchObject({ failing_since: null, enabled: true });
  });

  it('fails with a clear error once the account has no data key', async () => {
    const { id } = await app.seedEndpoint(accountId, receiver.url);
    await app.happen({ accountId });
    const parts = {
      vault: {
        ...app.db.vault,
        of: async () => {
          throw new Error('the account has no data key');
        },
      },
    };
    await app.openPool({ parts });
    const [row] = await app.settled(id, all('failed', 1));
    expect(row).toMatchObject({ last_error: 'endpoint_unreadable', attempts: 1 });
  });

  it('stays with the mode of the worker', async () => {
    await app.openPool();
    const { id } = await app.seedEndpoint(accountId, receiver.url);
    await app.db.owner.query(`update webhook_endpoints set mode = 'live' where id = $1`, [id]);
    await app.happen({ accountId, mode: 'live' });
    const other = await app.seedEndpoint(accountId, receiver.url);
    await app.happen({ accountId });
    await app.settled(other.id, all('delivered', 1));
    expect(await app.deliveries(id)).toMatchObject([{ status: 'pending', attempts: 0 }]);
    expect(contextOf(accountId).mode).toBe('test');
  });
});
