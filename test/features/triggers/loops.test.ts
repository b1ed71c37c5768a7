import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { LaneHold } from '../../../src/features/messages/lane.service.ts';
import { contextOf } from '../../support/context.ts';
import { openTriggers, SENDER, type Triggers } from './open-triggers.ts';

let world: Triggers;
let hold: LaneHold;
beforeAll(async () => {
  world = await openTriggers();
  world.start();
});
afterAll(() => world.close());
beforeEach(async () => {
  world.clock.ahead = 0;
  hold = await world.hold();
});

const ANY = { match: 'any', pattern: null, reply: 'hello' } as const;
const say = async (text: string, more?: Parameters<Triggers['receive']>[2]) => {
  await world.receive(hold, text, more);
  await world.settled();
};
const automated = async (of = hold) =>
  (await world.replies(of)).filter((message) => message.automated).length;

/** A message that a person wrote: through the API, or on the phone. */
async function writeByHand(how: 'api' | 'phone'): Promise<void> {
  if (how === 'phone') return void (await world.receive(hold, 'by hand', { fromMe: true }));
  await world.messages.send(contextOf(hold.accountId), {
    sessionId: hold.sessionId,
    to: SENDER,
    text: 'by hand',
    contextMessageId: undefined,
    idempotency: undefined,
  });
}

/** Lets time pass for everything that is stored. */
async function age(interval: string): Promise<void> {
  await world.db.owner.query(
    'update messages set accepted_at = accepted_at - $2::interval, sent_at = sent_at - $2::interval where account_id = $1',
    [hold.accountId, interval],
  );
}

/**
 * Carries what one session has to send to the other, under the same WhatsApp id.
 * @returns how many messages there were
 */
async function carry(from: LaneHold, to: LaneHold, phoneOfSender: string): Promise<number> {
  const queued = await world.lane.take(from, [], 100);
  for (const { id, wireId, content } of queued) {
    const { sessionId, epoch } = from;
    await world.lane.progress.write({
      kind: 'outcome',
      id,
      sessionId,
      epoch,
      status: 'sent',
      at: new Date(),
    });
    await world.receive(to, content.body, { from: phoneOfSender, wireId });
  }
  await world.settled();
  return queued.length;
}

describe('triggers', () => {
  it('do not answer what the own user writes', async () => {
    await world.trigger(hold, ANY);
    await say('hello', { fromMe: true });
    expect(await automated()).toBe(0);
    expect(await world.events(hold)).toEqual([]);
  });

  it('of two Pingr numbers do not answer each other', async () => {
    const other = await world.hold();
    await world.trigger(hold, { ...ANY, reply: 'from A' });
    await world.trigger(other, { ...ANY, reply: 'from B' });
    await say('anybody there?', { from: '919800000002' });
    const rounds: number[] = [];
    for (let i = 0; i < 4; i++) {
      rounds.push(await carry(hold, other, '919800000001'), await carry(other, hold, '919800000002'));
    }
    expect(rounds).toEqual([1, 0, 0, 0, 0, 0, 0, 0]);
    expect([await automated(), await automated(other)]).toEqual([1, 0]);
    expect(await world.events(other)).toEqual([]);
  });

  it('do answer what a person writes from another Pingr number', async () => {
    const other = await world.hold();
    await world.trigger(other, ANY);
    await writeByHand('api');
    expect(await carry(hold, other, '919800000001')).toBe(1);
    expect(await automated(other)).toBe(1);
  });

  it('answer one sender so many times in a row and no more', async () => {
    await world.trigger(hold, { ...ANY, max_in_a_row: 3 });
    for (let i = 0; i < 6; i++) await world.receive(hold, `message ${i}`);
    await world.settled();
    expect(await automated()).toBe(3);
    expect(await world.events(hold)).toHaveLength(3);
    await say('hello', { from: '14155550100' });
    expect(await automated()).toBe(4);
  });

  it('count the replies of all triggers together', async () => {
    await world.trigger(hold, { max_in_a_row: 2 });
    await world.trigger(hold, { ...ANY, max_in_a_row: 3, priority: -1 });
    for (const text of ['hello', 'login', 'login', 'login', 'login']) await say(text);
    expect((await world.replies(hold)).map((message) => message.text?.body)).toEqual([
      'hello',
      'Hello Asha',
      'hello',
    ]);
  });

  it('raise events all the same where they send no reply', async () => {
    await world.trigger(hold, { ...ANY, reply: null, max_in_a_row: 1 });
    for (let i = 0; i < 3; i++) await say('hello');
    expect(await world.events(hold)).toHaveLength(3);
  });

  it.each(['api', 'phone'] as const)('start afresh once a person wrote (%s)', async (how) => {
    await world.trigger(hold, { ...ANY, max_in_a_row: 2 });
    for (let i = 0; i < 3; i++) await say('hello');
    expect(await automated()).toBe(2);
    await writeByHand(how);
    for (let i = 0; i < 3; i++) await say('hello');
    expect(await automated()).toBe(4);
  });

  it('start afresh after an hour in which nobody wrote, and not before', async () => {
    await world.trigger(hold, { ...ANY, max_in_a_row: 2 });
    for (let i = 0; i < 3; i++) await say('hello');
    await age('40 minutes');
    await say('still there?');
    await age('40 minutes');
    await say('hello?');
    expect(await automated()).toBe(2);
    await age('61 minutes');
    for (let i = 0; i < 3; i++) await say('hello');
    expect(await automated()).toBe(4);
  });
});
