import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Dispute,
  type DisputeStatus,
  disputeNews,
  isOpenDispute,
  laterDispute,
  laterRefund,
  refundNews,
  refundStatusOf,
  type TicketedDispute,
} from '../../../src/features/billing/refunds.model.ts';
import {
  entitlementOf,
  laterLook,
  type Mirror,
  type MirrorStatus,
} from '../../../src/features/billing/subscription.model.ts';

const NOW = new Date('2026-11-21T09:00:00Z');
const AMOUNT = 4_900;
const inDays = (days: number) => new Date(NOW.getTime() + days * 86_400_000);

describe('a refund', () => {
  it.each([
    [0, null],
    [1, 'partial'],
    [AMOUNT - 1, 'partial'],
    [AMOUNT, 'full'],
    [AMOUNT + 1, 'full'],
  ])('of %i of 4900 is %s', (refunded, status) => {
    expect(refundStatusOf(AMOUNT, refunded)).toBe(status);
  });

  it.each([
    [0, 0, undefined],
    [0, 900, { type: 'invoice.refunded', refundAmount: 900 }],
    [900, 4_900, { type: 'invoice.refunded', refundAmount: 4_000 }],
    [4_900, 900, { type: 'invoice.refund_failed', refundAmount: 4_000 }],
  ])('that was %i in all and is %i is told', (known, seen, news) => {
    expect(refundNews(known, seen)).toEqual(news);
  });
});

describe('a dispute', () => {
  const dispute = (status: DisputeStatus, id = 'a', day = 0): Dispute => ({
    id,
    status,
    openedAt: inDays(day),
  });
  it.each([
    ['that is new', null, dispute('open'), 'invoice.disputed'],
    ['that is heard of when it is over', null, dispute('lost'), 'invoice.dispute_closed'],
    ['that is answered', dispute('open'), dispute('under_review'), undefined],
    ['that is won', dispute('under_review'), dispute('won'), 'invoice.dispute_closed'],
    ['that is dropped', dispute('open'), dispute('closed'), 'invoice.dispute_closed'],
    ['that has not moved', dispute('lost'), dispute('lost'), undefined],
    ['that is taken up again', dispute('lost'), dispute('under_review'), 'invoice.disputed'],
    ['that follows another', dispute('won'), dispute('open', 'b', 1), 'invoice.disputed'],
    ['that follows one that is open', dispute('open'), dispute('open', 'b', 1), 'invoice.disputed'],
  ] as const)('%s is told', (_which, known, seen, news) => {
    expect(disputeNews(known, seen)).toBe(news);
  });
});

/** What a provider and a bank may do, one after the other. */
type Step =
  | { do: 'subscription'; status: MirrorStatus }
  | { do: 'refund'; part: number }
  | { do: 'refund fails' }
  | { do: 'dispute' }
  | { do: 'decide'; status: DisputeStatus };

/** A provider's side of one subscription with one payment. */
interface World {
  status: MirrorStatus;
  refunds: readonly number[];
  disputes: readonly Dispute[];
}

function after(world: World, step: Step, day: number): World {
  const { refunds, disputes } = world;
  switch (step.do) {
    case 'subscription':
      return { ...world, status: step.status };
    case 'refund': {
      const left = AMOUNT - refunds.reduce((sum, one) => sum + one, 0);
      const amount = Math.ceil(left * step.part);
      return amount > 0 ? { ...world, refunds: [...refunds, amount] } : world;
    }
    case 'refund fails':
      return { ...world, refunds: refunds.slice(1) };
    case 'dispute':
      // A second one may come as soon as the first; times are in seconds at the provider.
      return { ...world, disputes: [...disputes, { id: `d${day}`, status: 'open', openedAt: inDays(day) }] };
    case 'decide':
      return {
        ...world,
        disputes: disputes.map((one, i) =>
          i === disputes.length - 1 ? { ...one, status: step.status } : one,
        ),
      };
  }
}

/** A look, from when it takes its place, over what it sees then or later, to when it is written. */
interface Look {
  step: Step;
  /** Place of the step that it was told of. */
  of: number;
  /** Steps after which it takes its ticket, sees, and is written; the last may be any time later. */
  began: number;
  saw: number;
  written: number;
}

const step = fc.oneof(
  fc.record({
    do: fc.constant('subscription' as const),
    status: fc.constantFrom<MirrorStatus>('active', 'past_due', 'halted'),
  }),
  fc.record({ do: fc.constant('refund' as const), part: fc.constantFrom(0.1, 0.5, 1) }),
  fc.record({ do: fc.constant('refund fails' as const) }),
  fc.record({ do: fc.constant('dispute' as const) }),
  fc.record({
    do: fc.constant('decide' as const),
    status: fc.constantFrom<DisputeStatus>('under_review', 'won', 'lost', 'closed', 'open'),
  }),
);

/** A history, and looks at it: each step is told of once or more, late and in any order. */
const history = fc.array(step, { minLength: 1, maxLength: 12 }).chain((steps) => {
  const count = steps.length;
  const lookAt = (one: Step, i: number) =>
    fc.record({
      step: fc.constant(one),
      of: fc.constant(i + 1),
      began: fc.integer({ min: i + 1, max: count }),
      delay: fc.nat(count),
      written: fc.nat(1_000),
    });
  const looks = steps.map((one, i) => fc.array(lookAt(one, i), { minLength: 1, maxLength: 3 }));
  return fc.record({ steps: fc.constant(steps), looks: fc.tuple(...looks).map((all) => all.flat()) });
});

function play(steps: readonly Step[]): World[] {
  const worlds: World[] = [{ status: 'active', refunds: [], disputes: [] }];
  for (const [i, one] of steps.entries()) {
    const last = worlds.at(-1);
    if (last) worlds.push(after(last, one, i));
  }
  return worlds;
}

/** What is stored here. */
interface Stored {
  mirror: { ticket: number; seen: { status: MirrorStatus } };
  refund: { ticket: number; amount: number };
  dispute: TicketedDispute | null;
  told: { refunds: number; disputes: string[] };
}

type TicketedLook = Look & { ticket: number };

/** Looks as they are written, one after the other. */
function write(stored: Stored, look: TicketedLook, worlds: readonly World[]): Stored {
  const world = worlds[look.saw];
  if (world === undefined) return stored;
  const { ticket } = look;
  switch (look.step.do) {
    case 'subscription':
      return { ...stored, mirror: laterLook(stored.mirror, { ticket, seen: { status: world.status } }) };
    case 'refund':
    case 'refund fails':
      return writeRefund(stored, { ticket, amount: world.refunds.reduce((sum, one) => sum + one, 0) });
    case 'dispute':
    case 'decide': {
      // A webhook names its dispute, whatever came after.
      const id = worlds[look.of]?.disputes.at(-1)?.id;
      const seen = world.disputes.find((one) => one.id === id);
      return seen ? writeDispute(stored, { ...seen, ticket }) : stored;
    }
  }
}

function writeRefund(stored: Stored, seen: Stored['refund']): Stored {
  if (laterRefund(stored.refund, seen) === stored.refund) return stored;
  const news = refundNews(stored.refund.amount, seen.amount);
  const change = news ? (news.type === 'invoice.refunded' ? 1 : -1) * news.refundAmount : 0;
  const told = { ...stored.told, refunds: stored.told.refunds + change };
  return { ...stored, refund: seen, told };
}

function writeDispute(stored: Stored, seen: TicketedDispute): Stored {
  if (stored.dispute && laterDispute(stored.dispute, seen) === stored.dispute) return stored;
  const news = disputeNews(stored.dispute, seen);
  const disputes = [...stored.told.disputes, ...(news ? [`${seen.id} ${news}`] : [])];
  return { ...stored, dispute: seen, told: { ...stored.told, disputes } };
}

function lookAll(
  worlds: readonly World[],
  looks: readonly (Omit<Look, 'saw'> & { delay: number })[],
): Stored {
  const empty: Stored = {
    mirror: { ticket: 0, seen: { status: 'active' } },
    refund: { ticket: 0, amount: 0 },
    dispute: null,
    told: { refunds: 0, disputes: [] },
  };
  return looks
    .toSorted((a, b) => a.began - b.began)
    .map((look, i) => ({ ...look, ticket: i + 1, saw: Math.min(look.began + look.delay, worlds.length - 1) }))
    .toSorted((a, b) => a.written - b.written)
    .reduce((stored, look) => write(stored, look, worlds), empty);
}

describe('refunds, disputes and the life of a subscription, told of in any order, late and often', () => {
  it('end where the provider is', () => {
    fc.assert(
      fc.property(history, ({ steps, looks }) => {
        const worlds = play(steps);
        const final = worlds.at(-1);
        const stored = lookAll(worlds, looks);
        expect(stored.mirror.seen.status).toBe(final?.status);
        expect(stored.refund.amount).toBe(final?.refunds.reduce((sum, one) => sum + one, 0));
        const dispute = final?.disputes.at(-1);
        expect(stored.dispute?.id).toBe(dispute?.id);
        expect(stored.dispute?.status).toBe(dispute?.status);
      }),
      { numRuns: 500 },
    );
  });

  it('are told of so that what was told adds up to what is', () => {
    fc.assert(
      fc.property(history, ({ steps, looks }) => {
        const stored = lookAll(play(steps), looks);
        expect(stored.told.refunds).toBe(stored.refund.amount);
        const last = stored.told.disputes.at(-1);
        if (stored.dispute === null) expect(last).toBeUndefined();
        else {
          const news = isOpenDispute(stored.dispute.status) ? 'invoice.disputed' : 'invoice.dispute_closed';
          expect(last).toBe(`${stored.dispute.id} ${news}`);
        }
        // Never the same twice in a row.
        for (const [i, one] of stored.told.disputes.entries())
          expect(one).not.toBe(stored.told.disputes[i - 1]);
      }),
      { numRuns: 500 },
    );
  });

  it('leave the plan to the subscription alone', () => {
    fc.assert(
      fc.property(history, ({ steps, looks }) => {
        const planAfter = (of: readonly Step[], looksAt: typeof looks) => {
          const { status } = lookAll(play(of), looksAt).mirror.seen;
          return entitlementOf({ mirrors: [mirror(status)], trialEndsAt: null, freePlan: 'free', now: NOW });
        };
        const still = steps.map((one): Step => (one.do === 'subscription' ? one : { do: 'refund fails' }));
        const stillLooks = looks.filter((look) => look.step.do === 'subscription');
        expect(planAfter(steps, looks)).toEqual(planAfter(still, stillLooks));
      }),
    );
  });
});

function mirror(status: MirrorStatus): Mirror {
  return {
    ...{ id: 'a', provider: 'stripe', plan: 'growth', interval: 'month', status, renews: true },
    ...{ currentStart: inDays(-10), currentEnd: inDays(20), cancelAtPeriodEnd: false, endedAt: null },
    ...{ pastDueSince: inDays(-1), position: 3, boughtAt: inDays(-10) },
  };
}
