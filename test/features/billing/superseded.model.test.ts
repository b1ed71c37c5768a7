import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  entitlementOf,
  isOver,
  laterLook,
  type Mirror,
} from '../../../src/features/billing/subscription.model.ts';
import { supersededOf } from '../../../src/features/billing/superseded.model.ts';

const DAY = 86_400_000;
const START = new Date('2026-11-21T09:00:00Z').getTime();
const PERIOD = 30 * DAY;

function unpaid(id: string, plan: string, position: number): Mirror {
  return {
    ...{ id, provider: 'stripe', plan, position, interval: 'month', status: 'incomplete', renews: true },
    ...{ currentStart: null, currentEnd: null, cancelAtPeriodEnd: false, endedAt: null, pastDueSince: null },
    boughtAt: null,
  };
}

interface Seen {
  ticket: number;
  seen: Mirror;
}

/** Two subscriptions of one account at a provider, what is known of them here, and what was paid for. */
class World {
  now = START;
  readonly at: Mirror[];
  readonly known: Seen[];
  readonly paid: { position: number; to: number }[] = [];
  readonly #late: { of: number; look: Seen }[] = [];
  #tickets = 0;

  constructor(positions: readonly [number, number]) {
    this.at = positions.map((position, of) => unpaid(`s${of}`, `plan-${position}`, position));
    this.known = this.at.map((seen) => ({ ticket: 0, seen }));
  }

  sub(of: number): Mirror {
    const found = this.at[of];
    if (found === undefined) throw new Error('no such subscription');
    return found;
  }

  set(of: number, to: Partial<Mirror>): void {
    this.at[of] = { ...this.sub(of), ...to };
  }

  pay(of: number): void {
    const { position, boughtAt } = this.sub(of);
    const [from, to] = [new Date(this.now), new Date(this.now + PERIOD)];
    this.set(of, { status: 'active', currentStart: from, currentEnd: to, pastDueSince: null });
    this.set(of, { boughtAt: boughtAt ?? from });
    this.paid.push({ position, to: to.getTime() });
  }

  look(of: number): Seen {
    this.#tickets += 1;
    return { ticket: this.#tickets, seen: this.sub(of) };
  }

  write(of: number, look: Seen): void {
    const before = this.known[of];
    this.known[of] = before === undefined ? look : laterLook(before, look);
  }

  /** A look that is written long after. */
  lookLate(of: number): void {
    this.#late.push({ of, look: this.look(of) });
  }

  writeLate(): void {
    for (const { of, look } of this.#late.splice(0)) this.write(of, look);
  }

  /** As our program ends what is superseded by what it knows. @returns which */
  endSuperseded(): number[] {
    const superseded = supersededOf(
      this.known.map(({ seen }) => seen),
      new Date(this.now),
    ).map(({ id }) => this.at.findIndex((one) => one.id === id));
    for (const of of superseded) {
      const { status } = this.sub(of);
      if (status === 'active') this.set(of, { cancelAtPeriodEnd: true });
      else if (!isOver(status)) this.set(of, { status: 'cancelled', endedAt: new Date(this.now) });
      this.write(of, this.look(of));
    }
    return superseded;
  }
}

const STEPS = {
  buy(world: World, of: number) {
    if (world.sub(of).status === 'incomplete') world.pay(of);
  },
  renew: (world: World, of: number) => endPeriod(world, of, true),
  fail: (world: World, of: number) => endPeriod(world, of, false),
  halt(world: World, of: number) {
    if (world.sub(of).status === 'past_due') world.set(of, { status: 'halted' });
  },
  comeBack(world: World, of: number) {
    if (['past_due', 'halted'].includes(world.sub(of).status)) world.pay(of);
  },
  look: (world: World, of: number) => world.write(of, world.look(of)),
  lookLate: (world: World, of: number) => world.lookLate(of),
  writeLate: (world: World) => world.writeLate(),
  passDays(world: World) {
    world.now += 5 * DAY;
  },
} as const;
type Step = keyof typeof STEPS | 'end';

function endPeriod(world: World, of: number, works: boolean): void {
  const { status, currentEnd, cancelAtPeriodEnd } = world.sub(of);
  if (status !== 'active' || currentEnd === null) return;
  world.now = Math.max(world.now, currentEnd.getTime());
  const now = new Date(world.now);
  if (cancelAtPeriodEnd) return world.set(of, { status: 'cancelled', endedAt: now });
  if (works) return world.pay(of);
  const currentPeriod = { currentStart: now, currentEnd: new Date(world.now + PERIOD) };
  world.set(of, { status: 'past_due', pastDueSince: now, ...currentPeriod });
}

const steps = fc.array(
  fc.record({
    step: fc.constantFrom<Step>(
      'end',
      'buy',
      'renew',
      'fail',
      'halt',
      'comeBack',
      'look',
      'lookLate',
      'writeLate',
      'passDays',
    ),
    of: fc.nat(1),
  }),
  { maxLength: 40, size: 'max' },
);
const positions = fc.tuple(fc.constantFrom(2, 3, 4), fc.constantFrom(2, 3, 4));

function play(world: World, { step, of }: { step: Step; of: number }): void {
  if (step !== 'end') return STEPS[step](world, of);
  for (const ended of world.endSuperseded()) {
    const other = world.sub(1 - ended).boughtAt;
    // What is ended was bought before the other one.
    expect((world.sub(ended).boughtAt ?? other)?.getTime()).toBeLessThanOrEqual(other?.getTime() ?? 0);
  }
}

describe('two subscriptions of an account, whatever happens to them in whatever order', () => {
  it('never leave it with less than a plan whose period it has paid for', () => {
    fc.assert(
      fc.property(positions, steps, (plans, story) => {
        const world = new World(plans);
        for (const one of story) {
          play(world, one);
          const standing = {
            mirrors: world.at,
            trialEndsAt: null,
            freePlan: 'free',
            now: new Date(world.now),
          };
          const { sourceId } = entitlementOf(standing);
          const has = world.at.find(({ id }) => id === sourceId)?.position ?? 0;
          for (const { position, to } of world.paid) {
            if (to > world.now) expect(has).toBeGreaterThanOrEqual(position);
          }
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('end, but for the one bought last, once that is paid and everything is known', () => {
    fc.assert(
      fc.property(positions, steps, (plans, story) => {
        const world = new World(plans);
        for (const one of story) play(world, one);
        for (const of of [0, 1]) world.write(of, world.look(of));
        world.endSuperseded();
        const bought = world.at.filter(({ boughtAt }) => boughtAt !== null);
        const [last, first] = bought.toSorted(
          (a, b) => Number(b.boughtAt) - Number(a.boughtAt) || (b.id < a.id ? -1 : 1),
        );
        if (first === undefined || last?.status !== 'active' || Number(last.currentEnd) <= world.now) return;
        expect(last.cancelAtPeriodEnd).toBe(false);
        expect(isOver(first.status) || (first.status === 'active' && first.cancelAtPeriodEnd)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it('are left alone where only one was bought', () => {
    fc.assert(
      fc.property(positions, steps, (plans, story) => {
        const world = new World(plans);
        for (const one of story) if (one.of === 0) play(world, one);
        expect(world.at.some(({ cancelAtPeriodEnd, status }) => cancelAtPeriodEnd || isOver(status))).toBe(
          false,
        );
      }),
    );
  });
});
