import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toId } from '../../src/lib/ids.ts';
import { eventually } from '../support/eventually.ts';
import { type Fleet, linkFleet } from '../support/fleet.ts';
import { openWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts';
import { createWorld, type World } from '../support/world.ts';

let world: World;
let receiver: WebhookReceiver;

beforeAll(async () => {
  world = await createWorld({
    workers: 2,
    env: { WEBHOOK_ALLOW_LOOPBACK: 'on' },
  });
  receiver = await openWebhookReceiver();
  receiver.answer({ status: 200, afterMs: 20 });
});
afterAll(async () => {
  await world.close();
  await receiver.close();
});

/** How many events of messages an account has, and which of them the receiver has not seen. */
async function events(accountId: string): Promise<{ all: number; unseen: string[] }> {
  const { rows } = await world.db.owner.query(
    `select id from events where account_id = $1 and type like 'message.%'`,
    [accountId],
  );
  const seen = new Set(receiver.received.map(({ id }) => id));
  const ids = rows.map(({ id }) => toId('event', id));
  return { all: ids.length, unseen: ids.filter((id) => !seen.has(id)) };
}

async function newFleet(): Promise<{ fleet: Fleet; accountId: string }> {
  const fleet = await linkFleet(world);
  await fleet.api.post('/v1/webhook-endpoints', { url: receiver.url, events: ['message.*'] });
  const { rows } = await world.db.owner.query(
    'select account_id from webhook_endpoints order by created_at desc limit 1',
  );
  return { fleet, accountId: rows[0].account_id };
}

/** Every request that arrived has an attempt on record, and no attempt or delivery is left open. */
async function expectEverythingOnRecord(accountId: string): Promise<void> {
  const open = async () => {
    const { rows } = await world.db.owner.query(
      `select (select count(*) from webhook_deliveries where account_id = $1 and status <> 'delivered')::int as deliveries,
        (select count(*) from webhook_attempts where account_id = $1 and outcome is null)::int as attempts`,
      [accountId],
    );
    return rows[0];
  };
  await eventually(open, ({ deliveries, attempts }) => deliveries + attempts === 0);
  const { rows } = await world.db.owner.query(
    `select d.event_id, count(*)::int as attempts from webhook_attempts a join webhook_deliveries d on d.id = a.delivery_id
     where d.account_id = $1 group by d.event_id`,
    [accountId],
  );
  const requests = new Map<string, number>();
  for (const { id, payload } of receiver.received) {
    if (payload.account_id === toId('account', accountId)) requests.set(id, (requests.get(id) ?? 0) + 1);
  }
  const unrecorded = rows.filter(
    ({ event_id: id, attempts }) => (requests.get(toId('event', id)) ?? 0) > attempts,
  );
  expect(unrecorded).toEqual([]);
}

describe('webhooks', () => {
  it('all arrive, and every try is on record, when the workers are killed in the middle of 1,000', async () => {
    const { fleet, accountId } = await newFleet();
    const sending = fleet.sendMany(340, 'killed');
    await eventually(
      () => receiver.received.length,
      (count) => count > 300,
    );
    for (const worker of world.workers) worker.kill('SIGKILL');
    await world.startWorker();
    await sending;
    await fleet.expectExactlyOnce(340, 'killed');
    await fleet.expectAllDelivered();
    await eventually(
      () => events(accountId),
      ({ all, unseen }) => all >= 1_020 && unseen.length === 0,
    );
    await expectEverythingOnRecord(accountId);
  });

  it('all arrive after database and queue were away for 30 seconds', async () => {
    const { fleet, accountId } = await newFleet();
    const sending = fleet.sendMany(150, 'away');
    await eventually(
      () => fleet.arrived('away'),
      (texts) => texts.length > 40,
    );
    await Promise.all([world.links.database.cut(), world.links.redis.cut()]);
    await sleep(30_000);
    await Promise.all([world.links.database.restore(), world.links.redis.restore()]);
    await sending;
    const accepted = async () => (await fleet.api.get('/v1/messages?limit=1')).data?.length;
    await eventually(accepted, (count) => count === 1);
    await fleet.expectAllDelivered();
    await eventually(
      () => events(accountId),
      ({ all, unseen }) => all >= 450 && unseen.length === 0,
    );
    await expectEverythingOnRecord(accountId);
  });
});
