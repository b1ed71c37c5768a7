import { describe, expect, it } from 'vitest';
import { createFindTrigger, MOST_CPU_MS, type Search } from '../../../src/features/triggers/find-trigger.ts';
import { LookPace } from '../../../src/features/triggers/look-pace.ts';
import type { TriggerRow } from '../../../src/features/triggers/triggers.model.ts';
import { settings } from './open-triggers.ts';

const AT = new Date('2026-11-23T12:00:00Z');
const INCOMING = { sessionId: 'session', text: 'login', inGroup: false, at: AT };

function row(id: string, more: Partial<TriggerRow> = {}): TriggerRow {
  const stored = { account_id: 'account', mode: 'test', secret: null, fired_count: '0' } as const;
  return { ...settings(), ...stored, id, last_fired_at: null, created_at: AT, updated_at: AT, ...more };
}

/** A processor that only the looks use, each as long as it is told. */
function machine(msOf: (look: number) => number) {
  let [readings, used] = [0, 0];
  const cpuMs = () => {
    // It is read before and after each look.
    if (readings++ % 2 === 1) used += msOf((readings - 2) / 2);
    return used;
  };
  return { find: createFindTrigger(cpuMs), looks: () => readings / 2 };
}

const search = (triggers: TriggerRow[], more: Partial<Search> = {}): Search => ({
  triggers,
  incoming: INCOMING,
  mayFire: async () => true,
  ...more,
});
const many = (count: number, more: Partial<TriggerRow> = {}) =>
  Array.from({ length: count }, (_, n) => row(`t${n}`, more));

describe('finding the trigger of a message', () => {
  it('compares nothing after the one that fires', async () => {
    const { find, looks } = machine(() => 1);
    const triggers = [row('no', { pattern: 'other' }), row('yes'), ...many(50)];
    expect(await find(search(triggers))).toEqual({ trigger: triggers[1], skipped: [], cpuMs: 2 });
    expect(looks()).toBe(2);
  });

  it('goes on where the one that matches may not fire, and says which are left', async () => {
    const { find } = machine(() => 1);
    const asked: string[][] = [];
    const triggers = [row('a'), row('b', { pattern: 'other' }), row('c'), row('d')];
    const mayFire = async (trigger: TriggerRow, rest: readonly TriggerRow[]) => {
      asked.push([trigger, ...rest].map(({ id }) => id));
      return trigger.id === 'c';
    };
    expect((await find(search(triggers, { mayFire }))).trigger?.id).toBe('c');
    expect(asked).toEqual([
      ['a', 'b', 'c', 'd'],
      ['c', 'd'],
    ]);
  });

  it('compares only those that are for the session, the hour and the kind of chat', async () => {
    const { find, looks } = machine(() => 1);
    const closed = { time_zone: 'UTC', days: [1], from: '13:00', to: '14:00' };
    const triggers = [
      row('session', { session_ids: ['other'] }),
      row('hours', { active_hours: closed }),
      row('yes', { session_ids: ['session'], include_groups: true }),
    ];
    expect((await find(search(triggers))).trigger?.id).toBe('yes');
    const inGroup = search(triggers, { incoming: { ...INCOMING, inGroup: true } });
    expect((await find(inGroup)).trigger?.id).toBe('yes');
    expect(looks()).toBe(2);
  });

  it('ends when it has taken its time of the processor, and says what was left out', async () => {
    const { find } = machine(() => MOST_CPU_MS / 10);
    const triggers = many(30, { pattern: 'other' });
    const { trigger, skipped, cpuMs } = await find(search([...triggers, row('late')]));
    expect(trigger).toBeUndefined();
    expect(skipped.map(({ id }) => id)).toEqual([...triggers.slice(10).map(({ id }) => id), 'late']);
    expect(cpuMs).toBe(MOST_CPU_MS);
  });

  it('leaves nothing out while the processor is busy with something else', async () => {
    // The looks take nothing; whatever passes between them does not count.
    let elsewhere = 0;
    const find = createFindTrigger(() => elsewhere);
    const mayFire = async () => {
      elsewhere += 10 * MOST_CPU_MS;
      return false;
    };
    expect(await find(search(many(5), { mayFire }))).toEqual({ trigger: undefined, skipped: [], cpuMs: 0 });
  });

  it('gives the event loop back between costly looks, however many messages are looked at', async () => {
    const LOOK_MS = 6;
    let looks = 0;
    const { find } = machine(() => {
      looks++;
      return LOOK_MS;
    });
    const perTurn: number[] = [];
    let isRunning = true;
    const turn = () => {
      perTurn.push(looks);
      looks = 0;
      if (isRunning) setImmediate(turn);
    };
    setImmediate(turn);
    await Promise.all(Array.from({ length: 8 }, () => find(search(many(20, { pattern: 'other' })))));
    isRunning = false;
    perTurn.push(looks);
    expect(perTurn.reduce((sum, count) => sum + count)).toBe(8 * 20);
    // A slice is ten milliseconds: two looks, and one more on the way out of a turn.
    expect(Math.max(...perTurn)).toBeLessThanOrEqual(4);
  });

  it('does not wait for the event loop where looks cost next to nothing', async () => {
    const { find } = machine(() => 0.01);
    let turns = 0;
    setImmediate(() => turns++);
    await find(search(many(200, { pattern: 'other' })));
    expect(turns).toBe(0);
  });
});

describe('the pace of an account', () => {
  const LEASE_MS = 20_000;

  it('begins with as many messages as can be looked at in a part of their claim at worst', () => {
    const pace = new LookPace(LEASE_MS);
    expect(pace.room * MOST_CPU_MS).toBeLessThanOrEqual(LEASE_MS / 2);
    expect(pace.room).toBeGreaterThan(1);
  });

  it('grows with looks that are quick, and falls with one that is not', () => {
    const pace = new LookPace(LEASE_MS);
    const first = pace.room;
    for (let n = 0; n < 20; n++) pace.begin()(0.2);
    expect(pace.room).toBeGreaterThan(1_000);
    pace.begin()(MOST_CPU_MS);
    expect(pace.room).toBe(first);
  });

  it('counts a message until it is looked at, once, also where that broke', () => {
    const pace = new LookPace(LEASE_MS);
    const before = pace.room;
    const [one, two] = [pace.begin(), pace.begin()];
    expect(pace.room).toBe(before - 2);
    one(MOST_CPU_MS);
    one();
    two();
    two(1);
    expect(pace.room).toBe(before);
  });

  it('always has room for one', () => {
    const pace = new LookPace(1);
    expect(pace.room).toBe(1);
    const end = pace.begin();
    expect(pace.room).toBeLessThanOrEqual(0);
    end();
    expect(pace.room).toBe(1);
  });
});
