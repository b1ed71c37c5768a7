import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  entitlementOf,
  GRACE_MS,
  isOver,
  laterLook,
  type Mirror,
  type MirrorStatus,
} from '../../../src/features/billing/subscription.model.ts';

const DAY = 86_400_000;
const NOW = new Date('2026-11-21T09:00:00Z');
const inDays = (days: number) => new Date(NOW.getTime() + days * DAY);

function mirror(over: Partial<Mirror> = {}): Mirror {
  return {
    ...{ id: 'a', provider: 'stripe', plan: 'growth', position: 3, interval: 'month' },
    ...{ status: 'active', renews: true, boughtAt: inDays(-10) },
    ...{ currentStart: inDays(-10), currentEnd: inDays(20), cancelAtPeriodEnd: false, endedAt: null },
    pastDueSince: null,
    ...over,
  };
}

const standing = (mirrors: Mirror[], trialEndsAt: Date | null = null) =>
  entitlementOf({ mirrors, trialEndsAt, freePlan: 'free', now: NOW });

describe('what an account is entitled to', () => {
  it.each([
    ['nothing', [], null, 'free', 'free', null],
    ['a trial', [], inDays(3), 'trialing', 'trial', inDays(3)],
    ['a trial that is over', [], inDays(-1), 'free', 'free', null],
    ['what it pays for', [mirror()], null, 'active', 'growth', inDays(23)],
    ['what it pays for, trial or not', [mirror()], inDays(3), 'active', 'growth', inDays(23)],
    [
      'a checkout that is open',
      [mirror({ status: 'incomplete' })],
      inDays(3),
      'trialing',
      'trial',
      inDays(3),
    ],
    [
      'a payment that is missing',
      [mirror({ status: 'past_due', pastDueSince: inDays(-2) })],
      null,
      ...(['past_due', 'growth', inDays(12)] as const),
    ],
    [
      'a payment that is missing for too long',
      [mirror({ status: 'past_due', pastDueSince: inDays(-14) })],
      null,
      ...(['halted', 'free', null] as const),
    ],
    ['a provider that stopped trying', [mirror({ status: 'halted' })], null, 'halted', 'free', null],
    [
      'a halted plan within the trial',
      [mirror({ status: 'halted' })],
      inDays(3),
      'trialing',
      'trial',
      inDays(3),
    ],
    [
      'a plan that ends with its period',
      [mirror({ cancelAtPeriodEnd: true })],
      null,
      ...(['cancelled', 'growth', inDays(20)] as const),
    ],
    [
      'a plan that has ended',
      [mirror({ status: 'cancelled', endedAt: inDays(-1) })],
      null,
      'free',
      'free',
      null,
    ],
    ['one payment for one period', [mirror({ renews: false })], null, 'active', 'growth', inDays(20)],
    [
      'one payment whose period is over',
      [mirror({ renews: false, currentEnd: inDays(-1) })],
      null,
      ...(['free', 'free', null] as const),
    ],
    ['no news of the renewal yet', [mirror({ currentEnd: inDays(-2) })], null, 'active', 'growth', inDays(1)],
    [
      'no news of the renewal for long',
      [mirror({ currentEnd: inDays(-4) })],
      null,
      'past_due',
      'growth',
      inDays(10),
    ],
    [
      'one plan that ended and one that began',
      [mirror({ status: 'cancelled', endedAt: inDays(-1) }), mirror({ id: 'b', plan: 'scale' })],
      null,
      ...(['active', 'scale', inDays(23)] as const),
    ],
    [
      'a smaller plan bought while a larger one is paid for',
      [
        mirror({ plan: 'scale', position: 4, cancelAtPeriodEnd: true }),
        mirror({ id: 'b', currentStart: inDays(-1), currentEnd: inDays(30), boughtAt: inDays(-1) }),
      ],
      null,
      ...(['cancelled', 'scale', inDays(20)] as const),
    ],
    [
      'a smaller plan that is paid beside a larger one that is not',
      [
        mirror({ plan: 'scale', position: 4, status: 'past_due', pastDueSince: inDays(-2) }),
        mirror({ id: 'b' }),
      ],
      null,
      ...(['active', 'growth', inDays(23)] as const),
    ],
  ])('follows from %s', (...[, mirrors, trialEndsAt, status, plan, until]) => {
    expect(standing(mirrors, trialEndsAt)).toMatchObject({ status, plan, until });
  });
});

const statuses: MirrorStatus[] = ['incomplete', 'active', 'past_due', 'halted', 'cancelled', 'expired'];
const time = fc.option(
  fc.integer({ min: -60, max: 60 }).map((days) => inDays(days)),
  { nil: null },
);
const POSITIONS = { starter: 2, growth: 3, scale: 4 } as const;
const anyPlan = fc
  .constantFrom('starter', 'growth', 'scale')
  .map((plan) => ({ plan, position: POSITIONS[plan] }));
const anyTerms = fc.record({
  id: fc.uuid(),
  provider: fc.constantFrom('stripe', 'razorpay'),
  interval: fc.constantFrom('month', 'year'),
  status: fc.constantFrom(...statuses),
  renews: fc.boolean(),
  currentStart: time,
  currentEnd: time,
  cancelAtPeriodEnd: fc.boolean(),
  endedAt: time,
  pastDueSince: time,
  boughtAt: time,
});
const anyMirror = fc.tuple(anyTerms, anyPlan).map(([terms, plan]): Mirror => ({ ...terms, ...plan }));
const uniqueMirrors = fc.uniqueArray(anyMirror, { maxLength: 5, selector: ({ id }) => id });

describe('an entitlement', () => {
  it('does not depend on the order of the subscriptions', () => {
    fc.assert(
      fc.property(uniqueMirrors, time, fc.infiniteStream(fc.nat()), (mirrors, trial, places) => {
        const mixed = mirrors
          .map((one) => ({ one, place: places.next().value ?? 0 }))
          .sort((a, b) => a.place - b.place)
          .map(({ one }) => one);
        expect(standing(mixed, trial)).toEqual(standing(mirrors, trial));
      }),
    );
  });

  it('says when time changes it, and is right until then', () => {
    fc.assert(
      fc.property(uniqueMirrors, time, (mirrors, trialEndsAt) => {
        const found = standing(mirrors, trialEndsAt);
        expect(found.until === null || found.until > NOW).toBe(true);
        if (found.until === null) return;
        const at = (now: Date) => entitlementOf({ mirrors, trialEndsAt, freePlan: 'free', now });
        expect(at(new Date(found.until.getTime() - 1))).toMatchObject({
          plan: found.plan,
          status: found.status,
        });
      }),
    );
  });

  it('is never less than a plan whose period is paid', () => {
    fc.assert(
      fc.property(uniqueMirrors, time, (mirrors, trial) => {
        const found = standing(mirrors, trial);
        const position = mirrors.find(({ id }) => id === found.sourceId)?.position ?? 0;
        for (const { status, currentEnd, endedAt, position: paid } of mirrors) {
          const end = status === 'cancelled' ? (endedAt ?? currentEnd) : currentEnd;
          if (['active', 'cancelled'].includes(status) && end !== null && end > NOW) {
            expect(position).toBeGreaterThanOrEqual(paid);
          }
        }
      }),
    );
  });

  it('is never a paid plan on what is over, unpaid for too long, or not yet paid', () => {
    fc.assert(
      fc.property(uniqueMirrors, (mirrors) => {
        const found = standing(mirrors);
        if (found.plan === 'free') return;
        const source = mirrors.find(({ id }) => id === found.sourceId);
        expect(source?.plan).toBe(found.plan);
        expect(['active', 'past_due', 'cancelled']).toContain(source?.status);
        if (source?.status === 'cancelled') {
          expect((source.endedAt ?? source.currentEnd ?? NOW).getTime()).toBeGreaterThan(NOW.getTime());
        }
        if (source?.pastDueSince && source.status === 'past_due') {
          expect(source.pastDueSince.getTime()).toBeGreaterThan(NOW.getTime() - GRACE_MS);
        }
      }),
    );
  });
});

/** A provider's subscription through its life, step by step; each state with the ticket of the look that sees it. */
const life = fc
  .array(fc.constantFrom<MirrorStatus>('active', 'past_due', 'halted'), { maxLength: 8 })
  .chain((middle) =>
    fc
      .constantFrom<MirrorStatus[]>([], ['cancelled'], ['expired'])
      .map((end): MirrorStatus[] => ['incomplete', ...middle, ...end]),
  )
  .map((states) => states.map((status, i) => ({ ticket: i + 1, seen: { status } })));

describe('looks at a provider', () => {
  it('end where the provider is, in whatever order and how often they arrive', () => {
    fc.assert(
      fc.property(
        life.chain((looks) =>
          fc.record({
            looks: fc.constant(looks),
            arriving: fc.shuffledSubarray([...looks, ...looks], { minLength: looks.length * 2 }),
          }),
        ),
        ({ looks, arriving }) => {
          const [first, ...rest] = arriving;
          if (first === undefined) return;
          expect(rest.reduce(laterLook, first)).toEqual(looks.at(-1));
        },
      ),
    );
  });

  it('never bring back what is over, even where a late look took a later ticket', () => {
    fc.assert(
      fc.property(life, fc.nat(20), (looks, ticket) => {
        const final = looks.reduce(laterLook);
        const late = { ticket, seen: { status: 'active' as const } };
        if (isOver(final.seen.status)) expect(laterLook(final, late)).toEqual(final);
      }),
    );
  });
});
