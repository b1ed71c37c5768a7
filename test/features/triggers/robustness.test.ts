import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { LaneHold } from '../../../src/features/messages/lane.service.ts';
import { claimChecks, findWaiting } from '../../../src/features/triggers/checks.system.ts';
import { MOST_CPU_MS } from '../../../src/features/triggers/find-trigger.ts';
import type { TriggerRunner } from '../../../src/features/triggers/trigger-runner.ts';
import { createLog } from '../../../src/platform/log/log.ts';
import { contextOf } from '../../support/context.ts';
import { eventually } from '../../support/eventually.ts';
import { openTriggers, type Parts, type Triggers } from './open-triggers.ts';

let world: Triggers;
let hold: LaneHold;
const runners: TriggerRunner[] = [];
beforeAll(async () => {
  world = await openTriggers();
});
afterAll(() => world.close());
beforeEach(async () => {
  world.counted.length = 0;
  hold = await world.hold();
});
afterEach(async () => {
  await Promise.all(runners.splice(0).map((runner) => runner.close()));
  await world.db.owner.query('delete from trigger_checks');
});

/** Another worker, which begins with a sweep. */
function run(more: Parts = {}): TriggerRunner {
  const runner = world.newRunner({ ...more, timings: { sweepMs: 50, finishMs: 50, ...more.timings } });
  runners.push(runner);
  runner.start();
  return runner;
}

const claim = (leaseMs: number) =>
  world.db.database.systemOnce((tx) =>
    claimChecks(tx, { accountId: hold.accountId, mode: 'test', limit: 10, leaseMs }),
  );
const texts = async () => (await world.replies(hold)).map((message) => message.text?.body);

describe('checks', () => {
  it('are claimed one a sender, the oldest first, and by one worker only', async () => {
    await world.trigger(hold);
    for (const from of ['1415555010', '1415555011']) {
      for (const text of ['a', 'b']) await world.receive(hold, text, { from });
    }
    const [one, two] = await Promise.all([claim(60_000), claim(60_000)]);
    const claimed = [...one, ...two];
    expect(claimed.map((check) => check.contact).toSorted()).toEqual(['1415555010', '1415555011']);
    const shown = await world.messages.load(
      contextOf(hold.accountId),
      claimed.map((check) => check.messageId),
    );
    expect([...shown.values()].map((message) => message.text?.body)).toEqual(['a', 'a']);
    expect(await claim(60_000)).toEqual([]);
    expect(await world.db.database.systemOnce((tx) => findWaiting(tx, 'test'))).toEqual([hold.accountId]);
    expect(await world.db.database.systemOnce((tx) => findWaiting(tx, 'live'))).toEqual([]);
  });

  it('are not made for accounts without an enabled trigger', async () => {
    await world.trigger(hold, { enabled: false });
    await world.receive(hold, 'login');
    expect(await world.checks()).toBe(0);
  });
});

describe('a worker that is killed', () => {
  it('before it fired leaves its messages to the next, as soon as its claim has run out', async () => {
    await world.trigger(hold, { reply: '{{message}}', match: 'any', pattern: null });
    for (const text of ['one', 'two', 'three']) await world.receive(hold, text);
    await claim(300);
    run();
    await world.settled();
    expect(await texts()).toEqual(['one', 'two', 'three']);
  });

  it('in the middle of firing leaves nothing of it', async () => {
    const id = await world.trigger(hold, { cooldown_seconds: 60 });
    await world.receive(hold, 'login');
    let deaths = 2;
    run({
      messages: {
        async acceptIn(tx, ctx, reply) {
          const accepted = await world.messages.acceptIn(tx, ctx, reply);
          if (deaths-- > 0) throw new Error('killed');
          return accepted;
        },
      },
      random: () => 0,
    });
    await world.settled();
    expect(await texts()).toEqual(['Hello Asha']);
    expect(await world.events(hold)).toHaveLength(1);
    expect(await world.triggers.get(contextOf(hold.accountId), id)).toMatchObject({ fired_count: 1 });
  });

  it('and comes back late changes nothing', async () => {
    await world.trigger(hold, { reply: null, reply_url: 'http://127.0.0.1:9/' });
    await world.receive(hold, 'login');
    let asked = 0;
    const slow = (ms: number) => ({
      http: {
        post: async () => {
          asked++;
          await new Promise((resolve) => setTimeout(resolve, ms));
          const body = Buffer.from(`after ${ms}`);
          return { status: 200, headers: { 'content-type': 'text/plain' }, body, truncated: false };
        },
      },
      timings: { leaseMs: 400, finishMs: 10_000 },
    });
    const late = run(slow(1_500));
    await eventually(
      () => asked,
      (count) => count === 1,
    );
    void late.close();
    run({ ...slow(1), timings: { leaseMs: 20_000 } });
    await world.settled();
    await Promise.all(runners.map((runner) => runner.close()));
    expect(asked).toBe(2);
    expect(await texts()).toEqual(['after 1']);
    expect(await world.events(hold)).toHaveLength(1);
  });
});

describe('several workers', () => {
  it('share an account, and answer every message once and in the order of its sender', async () => {
    await world.trigger(hold, { reply: '{{message}}', match: 'any', pattern: null, max_in_a_row: 50 });
    const senders = Array.from({ length: 12 }, (_, i) => `14155550${100 + i}`);
    run();
    run();
    for (let n = 0; n < 10; n++) {
      await Promise.all(senders.map((from) => world.receive(hold, `${n}`, { from })));
      for (const runner of runners) runner.wake(hold.accountId);
    }
    await world.settled();
    const { rows } = await world.db.owner.query(
      `select contact_phone as phone, array_agg(id order by id) as ids from messages
       where account_id = $1 and automated group by contact_phone`,
      [hold.accountId],
    );
    expect(rows.map(({ phone }) => phone).toSorted()).toEqual(senders);
    for (const { ids } of rows) {
      const shown = await world.messages.load(contextOf(hold.accountId), ids);
      const said = ids.map((id: string) => shown.get(id)?.text?.body);
      expect(said).toEqual(Array.from({ length: 10 }, (_, n) => String(n)));
    }
  });
});

describe('a message that cannot be dealt with', () => {
  it('keeps no other sender waiting, and is given up in the end', async () => {
    await world.trigger(hold, { match: 'any', pattern: null, reply: '{{message}}' });
    await world.receive(hold, 'broken', { from: '14155550100' });
    await world.receive(hold, 'fine');
    await world.db.owner.query(
      `update messages set content = 'nonsense' where account_id = $1 and contact_phone = '14155550100'`,
      [hold.accountId],
    );
    run();
    await eventually(texts, (found) => found.length === 1);
    expect(await world.checks()).toBe(1);
    await world.db.owner.query('update trigger_checks set attempts = 6, claimed_until = null');
    await world.settled();
    expect(world.counted).toContain('given_up');
    await world.db.owner.query(`delete from messages where account_id = $1 and content = 'nonsense'`, [
      hold.accountId,
    ]);
    expect(await texts()).toEqual(['fine']);
  });

  it('because it is gone is dropped', async () => {
    await world.trigger(hold);
    await world.receive(hold, 'login');
    await world.db.owner.query('delete from messages where account_id = $1', [hold.accountId]);
    run();
    await world.settled();
    expect(world.counted).toEqual(['passed']);
  });
});

describe('triggers that take too long', () => {
  it('keep the ones after them from the message, which is logged by ids and counted', async () => {
    const lines: string[] = [];
    const log = createLog({
      level: 'warn',
      format: 'json',
      destination: { write: (line) => void lines.push(line) },
    });
    await world.trigger(hold, { pattern: 'something else', priority: 9 });
    const late = [await world.trigger(hold), await world.trigger(hold, { match: 'any', pattern: null })];
    let used = 0;
    run({ log, cpuMs: () => (used += MOST_CPU_MS) });
    await world.receive(hold, 'login');
    await world.settled();
    expect(world.counted).toEqual(['skipped 2', 'passed']);
    expect(await texts()).toEqual([]);
    const [received] = await world.messages.list(contextOf(hold.accountId), { limit: 1 });
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      account: hold.accountId,
      messageId: received?.id,
      triggers: late,
    });
    expect(lines[0]).not.toContain('login');
  });
});

describe('a trigger that is deleted or switched off', () => {
  it('does not fire any more at messages that wait', async () => {
    const ctx = contextOf(hold.accountId);
    const first = await world.trigger(hold);
    const second = await world.trigger(hold);
    await world.receive(hold, 'login');
    await world.triggers.remove(ctx, first);
    await world.triggers.update(ctx, second, { enabled: false });
    run();
    await world.settled();
    expect(await texts()).toEqual([]);
  });
});

describe('a worker that shuts down', () => {
  it('hands over at once what it could not finish', async () => {
    await world.trigger(hold, { reply: null, reply_url: 'http://127.0.0.1:9/' });
    await world.receive(hold, 'login');
    let asked = 0;
    const first = run({
      http: {
        post: ({ signal }) => {
          asked++;
          return new Promise((_, reject) => {
            signal?.addEventListener('abort', () => reject(new Error('aborted')));
          });
        },
      },
    });
    await eventually(
      () => asked,
      (count) => count === 1,
    );
    await first.close();
    run({
      http: {
        post: async () => {
          const body = Buffer.from('{"reply":"second"}');
          return { status: 200, headers: { 'content-type': 'application/json' }, body, truncated: false };
        },
      },
    });
    await world.settled();
    expect(await texts()).toEqual(['second']);
  });
});
