import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { LaneHold } from '../../../src/features/messages/lane.service.ts';
import { toId } from '../../../src/lib/ids.ts';
import { contextOf } from '../../support/context.ts';
import { seedSession } from '../../support/database.ts';
import { factsOf } from '../messages/lane-fixture.ts';
import { openTriggers, SENDER, settings, type Triggers } from './open-triggers.ts';

let world: Triggers;
let hold: LaneHold;
beforeAll(async () => {
  world = await openTriggers();
  world.start();
});
afterAll(() => world.close());
beforeEach(async () => {
  world.clock.ahead = 0;
  world.counted.length = 0;
  world.woken.length = 0;
  hold = await world.hold();
});

const texts = async (of = hold) => (await world.replies(of)).map((message) => message.text?.body);
const say = async (text: string | null, more?: Parameters<Triggers['receive']>[2]) => {
  await world.receive(hold, text, more);
  await world.settled();
};

describe('a trigger that fires', () => {
  it('answers through the ordinary path, marked as automated, and tells of it', async () => {
    const id = await world.trigger(hold, { reply: 'Hi {{name}}, {{phone}} wrote {{message}} on {{date}}' });
    await say(' LOGIN ');
    const [reply] = await world.replies(hold);
    const today = new Date().toISOString().slice(0, 10);
    expect(reply).toMatchObject({
      status: 'queued',
      to: `+${SENDER}`,
      text: { body: `Hi Asha, ${SENDER} wrote  LOGIN  on ${today}` },
      automated: true,
      trigger_id: toId('trigger', id),
    });
    expect(world.woken).toEqual([hold.sessionId]);
    const [event, ...more] = await world.events(hold);
    expect(more).toEqual([]);
    expect(event).toMatchObject({
      type: 'trigger.fired',
      session_id: toId('session', hold.sessionId),
      data: {
        trigger_id: toId('trigger', id),
        name: 'login',
        code: null,
        reply_message_id: reply?.id,
        reply_error: null,
        from: { phone: SENDER, name: 'Asha' },
        message: { direction: 'inbound', text: { body: ' LOGIN ' }, automated: false, trigger_id: null },
      },
    });
    expect(world.counted).toEqual(['reply sent', 'fired']);
  });

  it('counts, and remembers when', async () => {
    const id = await world.trigger(hold);
    const before = await world.triggers.get(contextOf(hold.accountId), id);
    expect(before).toMatchObject({ fired_count: 0, last_fired_at: null });
    for (let i = 0; i < 3; i++) await world.receive(hold, 'login');
    await world.settled();
    const after = await world.triggers.get(contextOf(hold.accountId), id);
    expect(after.fired_count).toBe(3);
    expect(Date.now() - Date.parse(after.last_fired_at ?? '')).toBeLessThan(10_000);
  });

  it('sends a code that the event has too, and that nobody can read in the database', async () => {
    await world.trigger(hold, { reply: 'Your code is {{code}}.' });
    await say('login');
    const code = /code is (\d{6})\./.exec((await texts())[0] ?? '')?.[1] ?? 'none';
    const [event] = await world.events(hold);
    expect(event?.data).toMatchObject({ code });
    const { rows } = await world.db.owner.query(
      `select e.data::text || coalesce(m.m, '') as stored from events e, lateral (
         select string_agg(messages::text, '') as m from messages where account_id = e.account_id
       ) m where e.account_id = $1`,
      [hold.accountId],
    );
    for (const { stored } of rows) {
      expect(stored).not.toContain(code);
      expect(stored).not.toContain(Buffer.from(code).toString('hex'));
    }
  });

  it('makes a new code each time', async () => {
    await world.trigger(hold, { reply: '{{code}}', max_in_a_row: 50 });
    for (let i = 0; i < 10; i++) await world.receive(hold, 'login');
    await world.settled();
    expect(new Set(await texts()).size).toBeGreaterThan(8);
  });

  it('without a reply raises the event alone', async () => {
    await world.trigger(hold, { reply: null });
    await say('login');
    expect(await world.replies(hold)).toEqual([]);
    expect(await world.events(hold)).toMatchObject([{ data: { reply_message_id: null, reply_error: null } }]);
    expect(world.counted).toEqual(['reply none', 'fired']);
  });

  it('raises its event after the message’s own', async () => {
    await world.trigger(hold, { reply: null });
    await say('login');
    const [received] = await world.messages.list(contextOf(hold.accountId), { limit: 1 });
    expect(await factsOf(world.db, received?.id ?? '')).toEqual(['message.received', 'trigger.fired']);
  });
});

describe('which trigger fires', () => {
  it('is none where no phrase matches, and nothing is left', async () => {
    await world.trigger(hold);
    await say('something else');
    expect(await world.replies(hold)).toEqual([]);
    expect(await world.events(hold)).toEqual([]);
    expect(world.counted).toEqual(['passed']);
  });

  it('is the first by priority, and among equals the oldest', async () => {
    await world.trigger(hold, { match: 'any', pattern: null, reply: 'low', priority: -1 });
    await world.trigger(hold, { match: 'contains', reply: 'older' });
    await world.trigger(hold, { match: 'starts_with', reply: 'newer' });
    await world.trigger(hold, { pattern: 'login now', reply: 'high', priority: 5 });
    await say('login');
    await say('login now');
    await say('hello');
    expect(await texts()).toEqual(['older', 'high', 'low']);
  });

  it('looks at its sessions only, and at its own account and mode', async () => {
    const other = await world.hold(hold.accountId);
    await world.trigger(hold, { session_ids: [other.sessionId], reply: 'other' });
    await say('login');
    expect(await texts()).toEqual([]);
    await world.receive(other, 'login');
    await world.settled();
    expect(await texts(other)).toEqual(['other']);
    const stranger = await world.hold();
    await world.receive(stranger, 'login');
    expect(await world.checks()).toBe(0);
  });

  it('is switched on, and within its hours', async () => {
    const now = new Date().getUTCHours();
    const hour = (n: number) => `${String((now + n + 24) % 24).padStart(2, '0')}:00`;
    const days = [1, 2, 3, 4, 5, 6, 7];
    const at = (from: number, to: number) => ({ time_zone: 'UTC', days, from: hour(from), to: hour(to) });
    await world.trigger(hold, { enabled: false, reply: 'off', priority: 9 });
    await world.trigger(hold, { active_hours: at(2, 4), reply: 'closed', priority: 8 });
    await world.trigger(hold, { active_hours: at(-1, 2), reply: 'open' });
    await say('login');
    expect(await texts()).toEqual(['open']);
  });

  it('is `any` for what has no text', async () => {
    await world.trigger(hold, { match: 'regex', pattern: '.*', reply: 'text', priority: 1 });
    await world.trigger(hold, { match: 'any', pattern: null, reply: 'any: “{{message}}”' });
    await say(null);
    expect(await texts()).toEqual(['any: “”']);
  });
});

describe('a cool-down', () => {
  it('passes over the same sender, who may fire the next trigger', async () => {
    await world.trigger(hold, { cooldown_seconds: 60, reply: 'first', priority: 1 });
    await world.trigger(hold, { match: 'contains', reply: 'second' });
    await say('login');
    await say('login');
    await say('login', { from: '14155550100' });
    expect(await texts()).toEqual(['first', 'second', 'first']);
    await world.db.owner.query(
      `update trigger_senders set last_fired_at = last_fired_at - interval '61 seconds' where account_id = $1`,
      [hold.accountId],
    );
    await say('login');
    expect((await texts()).at(-1)).toBe('first');
  });

  it('holds for two sessions that the sender writes to at the same moment', async () => {
    const other = await world.hold(hold.accountId);
    await world.trigger(hold, { cooldown_seconds: 60, reply: 'once' });
    await Promise.all([hold, other].map((to) => world.receive(to, 'login')));
    await world.settled();
    expect([...(await texts()), ...(await texts(other))]).toEqual(['once']);
  });
});

describe('a message that nobody can be answered for', () => {
  it('raises the event with the reason where the session is not linked', async () => {
    await world.trigger(hold, { reply: 'your code: {{code}}' });
    await world.db.owner.query(`update sessions set status = 'logged_out', phone = null where id = $1`, [
      hold.sessionId,
    ]);
    await say('login');
    expect(await world.replies(hold)).toEqual([]);
    expect(await world.events(hold)).toMatchObject([
      {
        data: {
          code: null,
          reply_message_id: null,
          reply_error: {
            code: 'message.session_not_linked',
            detail: 'The session is logged_out; it cannot send until it is linked.',
          },
        },
      },
    ]);
    expect(world.counted).toEqual(['reply failed', 'fired']);
  });

  it('also where the session was deleted', async () => {
    await world.trigger(hold);
    await world.db.owner.query(`update sessions set desired = 'deleted' where id = $1`, [hold.sessionId]);
    await say('login');
    const [event] = await world.events(hold);
    expect(event?.data).toMatchObject({ reply_error: { code: 'message.session_not_found' } });
  });

  it('also where it waited at WhatsApp for more than five minutes', async () => {
    await world.trigger(hold);
    await say('login', { ageMs: 4 * 60_000 });
    await say('login', { ageMs: 6 * 60_000 });
    expect(await world.replies(hold)).toHaveLength(1);
    expect(await world.events(hold)).toMatchObject([
      { data: { reply_error: null } },
      { data: { reply_error: { code: 'trigger.message_too_old' } } },
    ]);
  });

  it('also where WhatsApp hides the number, unless it was learnt', async () => {
    await world.trigger(hold);
    await say('login', { from: { lid: '182731923847561' } });
    expect((await world.events(hold))[0]?.data).toMatchObject({
      reply_error: { code: 'trigger.sender_unknown' },
    });
    await world.lane.rememberIdentity(hold, { lid: '182731923847561', phone: '14155550100' });
    await say('login', { from: { lid: '182731923847561' } });
    expect(await world.replies(hold)).toMatchObject([{ to: '+14155550100' }]);
  });

  it('also where its variables leave nothing to say', async () => {
    await world.trigger(hold, { reply: ' {{name}} ' });
    await say('login', { name: '' });
    expect((await world.events(hold))[0]?.data).toMatchObject({
      reply_error: { code: 'trigger.reply_empty' },
    });
  });

  it('once the message is gone shows who fired no more', async () => {
    await world.trigger(hold);
    await say('login');
    await world.db.owner.query('delete from messages where account_id = $1', [hold.accountId]);
    expect(await world.events(hold)).toMatchObject([{ data: { name: 'login', from: null, message: null } }]);
  });
});

describe('messages of other modes', () => {
  it('are left to their workers', async () => {
    const live = await seedSession(world.db, hold.accountId, { mode: 'live' });
    await world.db.owner.query('update session_leases set epoch = 1 where session_id = $1', [live]);
    await world.triggers.create(contextOf(hold.accountId, 'live'), settings());
    await world.receive({ ...hold, mode: 'live', sessionId: live }, 'login');
    expect(await world.checks()).toBe(1);
    const runner = world.newRunner({ mode: 'live' });
    runner.start();
    await world.settled();
    await runner.close();
    const found = await world.messages.list(contextOf(hold.accountId, 'live'), { limit: 10 });
    expect(found.map(({ message }) => message.automated)).toEqual([true, false]);
  });
});
