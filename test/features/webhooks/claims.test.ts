import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { claimDeliveries } from '../../../src/features/webhooks/claim.system.ts';
import { completeDeliveries, type Outcome } from '../../../src/features/webhooks/complete.system.ts';
import {
  recoverLane,
  releaseLanes,
  renewLanes,
  sweepLanes,
  takeLanes,
} from '../../../src/features/webhooks/lanes.system.ts';
import { newUuid } from '../../../src/lib/ids.ts';
import type { SystemTx } from '../../../src/platform/db/scope.ts';
import { seedAccount } from '../../support/database.ts';
import { announce } from '../events/open-events.ts';
import { type Deliveries, openDeliveries } from './open-deliveries.ts';

const URL = 'http://127.0.0.1:1/';

let app: Deliveries;
let accountId: string;
let id: string;
beforeAll(async () => {
  app = await openDeliveries();
});
afterAll(() => app.close());
beforeEach(async () => {
  accountId = await seedAccount(app.db);
  ({ id } = await app.seedEndpoint(accountId, URL));
});

const run = <T>(work: (tx: SystemTx) => Promise<T>): Promise<T> => app.db.database.systemOnce(work);

const takerOf = (owner: string, ttlMs = 30_000) => ({
  owner,
  mode: 'test' as const,
  ttlMs,
  takeExpired: true,
});

/** What a sweep takes, of this test's endpoint. */
async function sweep(taker: ReturnType<typeof takerOf>) {
  const taken = await run((tx) => sweepLanes(tx, taker, { holding: [], limit: 1_000 }));
  return taken.filter(({ endpointId }) => endpointId === id);
}

/** A worker with the lane of the endpoint, and what it claimed. */
async function hold(room = 10, ttlMs?: number) {
  const owner = newUuid();
  const [lease] = await run((tx) => takeLanes(tx, takerOf(owner, ttlMs), [id]));
  if (lease === undefined) return undefined;
  const claim = () => run((tx) => claimDeliveries(tx, owner, [{ endpointId: id, epoch: lease.epoch, room }]));
  return { owner, lease, claim, taken: (await claim())[0]?.taken ?? [] };
}

type Holder = NonNullable<Awaited<ReturnType<typeof hold>>>;

function outcomesOf({ lease, taken }: Holder, outcome: Partial<Outcome>): Outcome[] {
  return taken.map((delivery) => ({
    attemptId: delivery.attempt_id,
    deliveryId: delivery.id,
    endpointId: id,
    epoch: lease.epoch,
    number: delivery.number,
    url: URL,
    outcome: 'succeeded',
    status: 'delivered',
    delayMs: 0,
    startedAt: new Date(),
    durationMs: 5,
    statusCode: 200,
    error: null,
    response: null,
    restMs: null,
    ...outcome,
  }));
}

async function existing<T>(found: Promise<T | undefined>): Promise<T> {
  const value = await found;
  if (value === undefined) throw new Error('not taken');
  return value;
}

const expire = () =>
  app.db.owner.query(`update webhook_lanes set expires_at = now() - interval '1 s' where endpoint_id = $1`, [
    id,
  ]);

describe('a worker whose lane was taken over', () => {
  it('can record what an attempt came to, and nothing else, even before the new owner has cleared up', async () => {
    await announce(app.db.owner, { accountId });
    const old = await existing(hold());
    await expire();
    const successor = newUuid();
    await run((tx) => takeLanes(tx, takerOf(successor), [id]));
    const outcomes = outcomesOf(old, {
      outcome: 'failed',
      status: 'failed',
      statusCode: 500,
      error: 'status',
    });
    expect(await run((tx) => completeDeliveries(tx, old.owner, outcomes))).toEqual([]);
    expect(await app.deliveries(id)).toMatchObject([{ status: 'sending', tries: 0, last_error: null }]);
    expect(await app.attempts(old.taken[0]?.id ?? '')).toMatchObject([{ outcome: 'failed' }]);
    expect(await app.endpoint(id)).toMatchObject({ failing_since: null });
  });

  it('can neither claim, renew, release nor clear up', async () => {
    await announce(app.db.owner, { accountId });
    const old = await existing(hold());
    await announce(app.db.owner, { accountId });
    await expire();
    await run((tx) => takeLanes(tx, takerOf(newUuid()), [id]));
    expect(await old.claim()).toEqual([]);
    const ttl = { owner: old.owner, ttlMs: 1_000 };
    expect(await run((tx) => renewLanes(tx, ttl, [old.lease]))).toEqual(new Set());
    await run((tx) => releaseLanes(tx, old.owner, [old.lease]));
    expect(await run((tx) => recoverLane(tx, old.owner, { ...old.lease, open: [] }))).toBe(false);
    const { rows } = await app.db.owner.query('select owner from webhook_lanes where endpoint_id = $1', [id]);
    expect(rows).not.toContainEqual({ owner: null });
    expect(await app.deliveries(id)).toMatchObject([{ status: 'sending' }, { status: 'pending' }]);
  });
});

describe('an outcome', () => {
  it('that is written twice, because the answer of the database was lost, counts once', async () => {
    await announce(app.db.owner, { accountId });
    const holder = await existing(hold());
    const outcomes = outcomesOf(holder, { outcome: 'failed', status: 'pending', error: 'timeout' });
    for (let i = 0; i < 2; i++) await run((tx) => completeDeliveries(tx, holder.owner, outcomes));
    expect(await app.deliveries(id)).toMatchObject([{ status: 'pending', attempts: 1, tries: 1 }]);
    await holder.claim();
    await run((tx) => completeDeliveries(tx, holder.owner, outcomes));
    expect(await app.deliveries(id)).toMatchObject([{ status: 'sending', attempts: 2, tries: 1 }]);
  });

  it('of a delivery that was given back takes its attempt out of the record, once', async () => {
    await announce(app.db.owner, { accountId });
    const holder = await existing(hold());
    const outcomes = outcomesOf(holder, { outcome: 'unsent', status: 'pending', url: null, startedAt: null });
    await run((tx) => completeDeliveries(tx, holder.owner, outcomes));
    expect(await app.deliveries(id)).toMatchObject([{ status: 'pending', attempts: 0, tries: 0 }]);
    expect(await app.attempts(holder.taken[0]?.id ?? '')).toEqual([]);
    await holder.claim();
    await run((tx) => completeDeliveries(tx, holder.owner, outcomes));
    expect(await app.deliveries(id)).toMatchObject([{ status: 'sending', attempts: 1 }]);
  });

  it('does not bring a cancelled delivery back', async () => {
    await announce(app.db.owner, { accountId });
    const holder = await existing(hold());
    await app.db.owner.query(`update webhook_deliveries set status = 'cancelled' where endpoint_id = $1`, [
      id,
    ]);
    await run((tx) => completeDeliveries(tx, holder.owner, outcomesOf(holder, {})));
    expect(await app.deliveries(id)).toMatchObject([{ status: 'cancelled' }]);
  });

  it('that could not be sent at all says nothing about the endpoint', async () => {
    await announce(app.db.owner, { accountId });
    const holder = await existing(hold());
    const outcomes = outcomesOf(holder, { outcome: 'failed', status: 'failed', url: null, startedAt: null });
    await run((tx) => completeDeliveries(tx, holder.owner, outcomes));
    expect(await app.endpoint(id)).toMatchObject({ failing_since: null });
  });
});

describe('a run of failed attempts', () => {
  /** Claims one delivery and has it fail; returns for how many hours attempts have failed by then. */
  async function fail(over: Partial<Outcome> = {}): Promise<number | null> {
    await announce(app.db.owner, { accountId });
    const holder = await existing(hold());
    const outcomes = outcomesOf(holder, { outcome: 'failed', status: 'failed', ...over });
    const [row] = await run((tx) => completeDeliveries(tx, holder.owner, outcomes));
    await run((tx) => releaseLanes(tx, holder.owner, [holder.lease]));
    const ms = row?.failing_ms ?? null;
    return ms === null ? null : Math.round(ms / 3_600_000);
  }
  /** As it would be so many hours later. */
  const later = (hours: number) =>
    app.db.owner.query(
      `update webhook_endpoints set failing_since = failing_since - make_interval(hours => $2),
         last_failure_at = last_failure_at - make_interval(hours => $2) where id = $1`,
      [id, hours],
    );

  it('lasts while no more than a day goes by between two of them', async () => {
    expect(await fail()).toBe(0);
    for (const hours of [13, 36, 59]) {
      await later(hours === 13 ? 13 : 23);
      expect(await fail()).toBe(hours);
    }
  });

  it('begins anew after a time in which nothing was tried', async () => {
    await fail();
    await later(30 * 24);
    expect(await fail()).toBe(0);
    await later(5);
    expect(await fail()).toBe(5);
  });

  it('ends with a success', async () => {
    await fail();
    await later(20);
    expect(await fail({ outcome: 'succeeded', status: 'delivered' })).toBeNull();
    expect(await app.endpoint(id)).toMatchObject({ failing_since: null });
    expect(await fail()).toBe(0);
  });

  it('is of the present URL alone, and so is a rest', async () => {
    expect(await fail({ url: 'http://127.0.0.1:1/before', restMs: 60_000 })).toBeNull();
    expect(await app.endpoint(id)).toMatchObject({ failing_since: null, resting_until: null });
  });
});

describe('a lane', () => {
  it('is taken once, when something is due, and again when it was given back', async () => {
    expect(await hold()).toBeUndefined();
    await announce(app.db.owner, { accountId });
    const holder = await existing(hold());
    await announce(app.db.owner, { accountId });
    expect(await hold()).toBeUndefined();
    await run((tx) => releaseLanes(tx, holder.owner, [holder.lease]));
    const next = await existing(hold());
    expect(next.lease).toMatchObject({ epoch: holder.lease.epoch + 1, unclean: false });
  });

  it('whose lease ran out is left to its owner while leases may run out by the database being away', async () => {
    await announce(app.db.owner, { accountId });
    await existing(hold());
    await expire();
    const taker = { ...takerOf(newUuid()), takeExpired: false };
    expect(await run((tx) => takeLanes(tx, taker, [id]))).toEqual([]);
    expect(await sweep(taker)).toEqual([]);
  });

  it('of a dead worker is swept up also where nothing waits and the endpoint is off', async () => {
    await announce(app.db.owner, { accountId });
    await existing(hold());
    await expire();
    await app.db.owner.query('update webhook_endpoints set enabled = false where id = $1', [id]);
    const owner = newUuid();
    const [lease] = await sweep(takerOf(owner));
    expect(lease).toMatchObject({ endpointId: id, unclean: true });
    await run((tx) => recoverLane(tx, owner, { endpointId: id, epoch: lease?.epoch ?? 0, open: [] }));
    expect(await app.deliveries(id)).toMatchObject([{ status: 'pending', attempts: 1 }]);
    await run((tx) => releaseLanes(tx, owner, lease === undefined ? [] : [lease]));
    expect(await sweep(takerOf(owner))).toEqual([]);
  });

  it('is not taken while the receiver rests', async () => {
    await announce(app.db.owner, { accountId });
    const holder = await existing(hold());
    const resting = outcomesOf(holder, { outcome: 'failed', status: 'pending', restMs: 60_000 });
    await run((tx) => completeDeliveries(tx, holder.owner, resting));
    const [row] = await holder.claim();
    expect(row).toMatchObject({ taken: null, resting_ms: expect.any(Number) });
    await run((tx) => releaseLanes(tx, holder.owner, [holder.lease]));
    expect(await hold()).toBeUndefined();
    expect(await sweep(takerOf(newUuid()))).toEqual([]);
  });

  it('keeps what it knows to be under way when it clears up', async () => {
    await announce(app.db.owner, { accountId });
    await announce(app.db.owner, { accountId });
    const holder = await existing(hold());
    const open = holder.taken.slice(0, 1).map((delivery) => delivery.attempt_id);
    expect(await run((tx) => recoverLane(tx, holder.owner, { ...holder.lease, open }))).toBe(true);
    const statuses = (await app.deliveries(id)).map(({ status }) => status);
    expect(statuses.toSorted()).toEqual(['pending', 'sending']);
  });
});
