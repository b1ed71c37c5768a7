import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import {
  createLaneMessages,
  type LaneHold,
  type LaneMessages,
} from '../../../src/features/messages/lane.service.ts';
import { newUuid } from '../../../src/lib/ids.ts';
import { systemClock } from '../../../src/lib/system-clock.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { factsOf, messageNow, moveLease, seedHold, seedMessage } from './lane-fixture.ts';

let db: TestDatabase;
let hold: LaneHold;
let lane: LaneMessages;
let told: string[];

beforeAll(async () => {
  db = await createTestDatabase(inject('postgresUrl'));
});
afterAll(() => db.close());
beforeEach(async () => {
  hold = await seedHold(db);
  told = [];
  const { database, vault } = db;
  lane = createLaneMessages({
    database,
    vault,
    newUuid,
    clock: systemClock,
    onFact: (account) => told.push(account),
  });
});

const take = async (inFlight: string[] = [], limit = 10) =>
  (await lane.take(hold, inFlight, limit)).map(({ id }) => id);

describe('taking messages', () => {
  it('gives them opened, in the order accepted, as many as asked for', async () => {
    const ids = [];
    for (const body of ['one', 'two', 'three']) ids.push((await seedMessage(db, hold, { body })).id);
    const taken = await lane.take(hold, [], 2);
    expect(taken.map(({ id }) => id)).toEqual(ids.slice(0, 2));
    expect(taken[0]).toMatchObject({
      ...{
        content: { type: 'text', body: 'one' },
        phone: '919876543210',
        attempts: 0,
        quoted: undefined,
        lid: undefined,
      },
      wireId: expect.stringMatching(/^3EB0/),
    });
  });

  it('leaves out what is in flight, and what is past sending', async () => {
    const [flying, waiting] = [
      await seedMessage(db, hold),
      await seedMessage(db, hold, { status: 'sending' }),
    ];
    for (const status of ['sent', 'delivered', 'read', 'failed'] as const)
      await seedMessage(db, hold, { status });
    await seedMessage(db, hold, { direction: 'inbound', status: 'received' });
    await expect(take([flying.id])).resolves.toEqual([waiting.id]);
  });

  it('leaves out what is to be tried later, until it is due', async () => {
    const due = await seedMessage(db, hold, { not_before: new Date(Date.now() - 1_000) });
    await seedMessage(db, hold, { not_before: new Date(Date.now() + 60_000) });
    await expect(take()).resolves.toEqual([due.id]);
  });

  it('fails those whose content retention has dropped, and gives the others', async () => {
    const [empty, full] = [await seedMessage(db, hold), await seedMessage(db, hold)];
    await db.owner.query('update messages set content = null where id = $1', [empty.id]);
    await expect(take()).resolves.toEqual([full.id]);
    expect(await messageNow(db, empty.id)).toMatchObject({
      status: 'failed',
      error_code: 'message.content_expired',
    });
    await expect(factsOf(db, empty.id)).resolves.toEqual(['message.failed']);
  });

  it('goes on past more emptied messages than it may give at once', async () => {
    const empty = [];
    for (let i = 0; i < 20; i++) empty.push((await seedMessage(db, hold)).id);
    const full = [(await seedMessage(db, hold)).id, (await seedMessage(db, hold)).id];
    await db.owner.query('update messages set content = null where id = any($1)', [empty]);
    await expect(take([], 16)).resolves.toEqual(full);
    for (const id of empty) {
      await expect(messageNow(db, id)).resolves.toMatchObject({
        status: 'failed',
        error_code: 'message.content_expired',
      });
    }
    await expect(take(full, 16)).resolves.toEqual([]);
  });

  it("leaves out other sessions' messages", async () => {
    await seedMessage(db, await seedHold(db, hold.accountId));
    await expect(take()).resolves.toEqual([]);
  });

  it('gives nothing under a lease that has moved on', async () => {
    const { id } = await seedMessage(db, hold);
    const moved = await moveLease(db, hold);
    await expect(take()).resolves.toEqual([]);
    await expect(lane.take(moved, [], 10)).resolves.toMatchObject([{ id }]);
  });

  it("knows the recipient's LID from what the account has learnt, in its mode only", async () => {
    await seedMessage(db, hold);
    await lane.rememberIdentity({ ...hold, mode: 'live' }, { phone: '919876543210', lid: '1' });
    await lane.rememberIdentity(await seedHold(db), { phone: '919876543210', lid: '2' });
    await expect(lane.take(hold, [], 1)).resolves.toMatchObject([{ lid: undefined }]);
    await lane.rememberIdentity(hold, { phone: '919876543210', lid: '3' });
    await expect(lane.take(hold, [], 1)).resolves.toMatchObject([{ lid: '3' }]);
  });

  it('brings the quoted message along, with its author where that is the other end', async () => {
    const theirs = await seedMessage(db, hold, { direction: 'inbound', status: 'received', body: 'ask' });
    const ours = await seedMessage(db, hold, { status: 'sent', body: 'answer' });
    for (const quoted of [theirs, ours]) {
      await seedMessage(db, hold, { context_message_id: quoted.id, context_wire_id: quoted.wire_id });
    }
    const [first, second] = await lane.take(hold, [], 2);
    const author = { phone: '919876543210' };
    expect(first?.quoted).toEqual({
      wireId: theirs.wire_id,
      fromMe: false,
      author,
      content: { type: 'text', body: 'ask' },
    });
    expect(second?.quoted).toEqual({
      wireId: ours.wire_id,
      fromMe: true,
      content: { type: 'text', body: 'answer' },
    });
  });

  it('names the author of a quoted message by that message, not by who is written to', async () => {
    const asha = { direction: 'inbound', status: 'received', contact_phone: '919800000001' } as const;
    const lidOnly = { ...asha, contact_phone: null, contact_lid: '77' };
    const [byPhone, byLid] = [await seedMessage(db, hold, asha), await seedMessage(db, hold, lidOnly)];
    for (const quoted of [byPhone, byLid, byLid])
      await seedMessage(db, hold, { context_message_id: quoted.id, context_wire_id: quoted.wire_id });
    const authors = async () => (await lane.take(hold, [], 3)).map(({ quoted }) => quoted?.author);
    await expect(authors()).resolves.toEqual([{ phone: '919800000001' }, { lid: '77' }, { lid: '77' }]);
    await lane.rememberIdentity(hold, { phone: '919800000002', lid: '77' });
    await expect(authors()).resolves.toContainEqual({ phone: '919800000002', lid: '77' });
  });

  it('quotes by id alone what retention has emptied', async () => {
    const ours = await seedMessage(db, hold, { status: 'sent' });
    await db.owner.query('update messages set content = null where id = $1', [ours.id]);
    await seedMessage(db, hold, { context_message_id: ours.id, context_wire_id: ours.wire_id });
    await expect(lane.take(hold, [], 1)).resolves.toMatchObject([
      { quoted: { wireId: ours.wire_id, fromMe: true } },
    ]);
  });
});

describe('a session without a future', () => {
  const error = { code: 'message.session_closed', detail: 'The session was deleted.' };

  it('fails what it still had to send, and announces each', async () => {
    const [queued, sending, sent] = [
      await seedMessage(db, hold),
      await seedMessage(db, hold, { status: 'sending' }),
      await seedMessage(db, hold, { status: 'sent' }),
    ];
    const elsewhere = await seedMessage(db, await seedHold(db, hold.accountId));
    await lane.failQueued(hold, error);
    for (const { id } of [queued, sending]) {
      await expect(messageNow(db, id)).resolves.toMatchObject({
        status: 'failed',
        error_code: error.code,
        error_detail: error.detail,
      });
      await expect(factsOf(db, id)).resolves.toEqual(['message.failed']);
    }
    await expect(messageNow(db, sent.id)).resolves.toMatchObject({ status: 'sent' });
    await expect(messageNow(db, elsewhere.id)).resolves.toMatchObject({ status: 'queued' });
    expect(told).toEqual([hold.accountId]);
  });

  it('says nothing where there was nothing', async () => {
    await lane.failQueued(hold, error);
    expect(told).toEqual([]);
  });

  it('is not so for a worker whose lease has moved on', async () => {
    const { id } = await seedMessage(db, hold);
    await moveLease(db, hold);
    await lane.failQueued(hold, error);
    await expect(messageNow(db, id)).resolves.toMatchObject({ status: 'queued' });
  });
});

describe('what was sent', () => {
  it('can be loaded by its WhatsApp id, from this session only', async () => {
    const { wire_id: wireId } = await seedMessage(db, hold, { status: 'sent', body: 'again' });
    await expect(lane.loadSent(hold, wireId)).resolves.toEqual({ type: 'text', body: 'again' });
    await expect(lane.loadSent(await seedHold(db, hold.accountId), wireId)).resolves.toBeUndefined();
    await expect(lane.loadSent(hold, 'unknown')).resolves.toBeUndefined();
    await db.owner.query('update messages set content = null where wire_id = $1', [wireId]);
    await expect(lane.loadSent(hold, wireId)).resolves.toBeUndefined();
  });

  it('and what came in is known by its WhatsApp id', async () => {
    const known = await seedMessage(db, hold, { direction: 'inbound', status: 'received' });
    await expect(lane.known(hold, [known.wire_id, 'unknown'])).resolves.toEqual(new Set([known.wire_id]));
  });

  it('fails when WhatsApp refuses it afterwards', async () => {
    const { id, wire_id: wireId } = await seedMessage(db, hold, { status: 'sent' });
    await lane.refuse(hold, wireId, { code: 'message.account_restricted', detail: 'No.', wireCode: 463 });
    await expect(messageNow(db, id)).resolves.toMatchObject({
      status: 'failed',
      wire_code: 463,
      error_code: 'message.account_restricted',
    });
    await expect(factsOf(db, id)).resolves.toEqual(['message.failed']);
    await expect(
      lane.refuse(hold, 'unknown', { code: 'x', detail: 'x', wireCode: 1 }),
    ).resolves.toBeUndefined();
  });
});
