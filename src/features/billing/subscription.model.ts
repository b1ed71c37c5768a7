import type { Interval, ProviderName } from './plans.model.ts';

/** What a provider says of a subscription, in words of ours. */
export type MirrorStatus = 'incomplete' | 'active' | 'past_due' | 'halted' | 'cancelled' | 'expired';

/** A subscription at a provider, or a one-off payment for one period, as it was last seen there. */
export interface Mirror {
  /** UUID of ours. */
  id: string;
  provider: ProviderName;
  plan: string;
  /** Of the plan: the larger one has the larger position. */
  position: number;
  interval: Interval;
  status: MirrorStatus;
  /** False for a one-off payment. */
  renews: boolean;
  currentStart: Date | null;
  currentEnd: Date | null;
  cancelAtPeriodEnd: boolean;
  endedAt: Date | null;
  /** When the payment that is missing was due. */
  pastDueSince: Date | null;
  /** When its first period began. */
  boughtAt: Date | null;
}

/** The state of an account. `cancelled` ends with the period that is paid, `halted` waits for a payment. */
export type SubscriptionStatus = 'trialing' | 'active' | 'past_due' | 'halted' | 'cancelled' | 'free';

export interface Entitlement {
  plan: string;
  status: SubscriptionStatus;
  /** UUID of the mirror that it comes from. */
  sourceId: string | null;
  /** When time alone changes it; null where only news does. */
  until: Date | null;
  /** From when on months are counted; null leaves it as it was. */
  anchor: Date | null;
}

/** Everything that an entitlement follows from. */
export interface Standing {
  mirrors: readonly Mirror[];
  trialEndsAt: Date | null;
  /** Plan of accounts that pay nothing and are in no trial. */
  freePlan: string;
  now: Date;
}

const DAY_MS = 86_400_000;
/** A renewal may be so late in reaching us before it counts as missing. */
const LATE_NEWS_MS = 3 * DAY_MS;
/** For so long a missing payment leaves the plan as it is, whatever the provider still tries. */
export const GRACE_MS = 14 * DAY_MS;

/** The best that follows from an account's subscriptions, trial and the time. Their order does not matter. */
export function entitlementOf(standing: Standing): Entitlement {
  const { mirrors, trialEndsAt, freePlan, now } = standing;
  const [first] = mirrors
    .flatMap((mirror) => {
      const claim = claimOf(mirror, standing);
      return claim === undefined ? [] : [{ claim, position: mirror.position }];
    })
    .sort(better);
  const best = first?.claim;
  if (best !== undefined && best.status !== 'halted') return best;
  if (trialEndsAt !== null && trialEndsAt > now) {
    return { plan: 'trial', status: 'trialing', sourceId: null, until: trialEndsAt, anchor: null };
  }
  return best ?? { plan: freePlan, status: 'free', sourceId: null, until: null, anchor: null };
}

interface Claim {
  claim: Entitlement;
  position: number;
}

/** A period that was paid is used up, whether or not another follows. */
const RANK = {
  active: 3,
  cancelled: 3,
  past_due: 2,
  halted: 1,
  trialing: 0,
  free: 0,
} as const satisfies Record<SubscriptionStatus, number>;

/** Of two that are paid the larger plan comes first; of the same plan the one that goes on, then the one paid last. */
function better(a: Claim, b: Claim): number {
  return (
    RANK[b.claim.status] - RANK[a.claim.status] ||
    b.position - a.position ||
    Number(b.claim.status === 'active') - Number(a.claim.status === 'active') ||
    paidLater(a.claim, b.claim)
  );
}

function paidLater(a: Entitlement, b: Entitlement): number {
  const later = (b.anchor?.getTime() ?? 0) - (a.anchor?.getTime() ?? 0);
  return later || ((b.sourceId ?? '') < (a.sourceId ?? '') ? -1 : 1);
}

/** What one subscription gives; `undefined` for nothing. */
function claimOf(mirror: Mirror, { freePlan, now }: Standing): Entitlement | undefined {
  const { plan, id: sourceId, currentStart: anchor, currentEnd } = mirror;
  const paid = { plan, sourceId, anchor };
  const halted = { plan: freePlan, status: 'halted', sourceId, until: null, anchor: null } as const;
  const owing = (since: Date): Entitlement => {
    const until = after(since, GRACE_MS);
    return until > now ? { ...paid, status: 'past_due', until } : halted;
  };
  switch (mirror.status) {
    case 'halted':
      return halted;
    case 'past_due':
      return owing(mirror.pastDueSince ?? now);
    case 'cancelled':
      return untilThen(paid, 'cancelled', mirror.endedAt ?? currentEnd, now);
    case 'active':
      return claimOfActive(mirror, paid, now) ?? (isOverdue(mirror) ? owing(currentEnd ?? now) : undefined);
    case 'incomplete':
    case 'expired':
      return undefined;
  }
}

/** Whether an active subscription whose period is over should have been paid again. */
function isOverdue({ renews, cancelAtPeriodEnd, currentEnd }: Mirror): boolean {
  return renews && !cancelAtPeriodEnd && currentEnd !== null;
}

type Paid = Pick<Entitlement, 'plan' | 'sourceId' | 'anchor'>;

/** `undefined` once its period, and the time for news of the next one, are over. */
function claimOfActive(mirror: Mirror, paid: Paid, now: Date): Entitlement | undefined {
  const { renews, cancelAtPeriodEnd, currentEnd } = mirror;
  if (!renews) return untilThen(paid, 'active', currentEnd, now);
  if (cancelAtPeriodEnd) return untilThen(paid, 'cancelled', currentEnd, now);
  if (currentEnd === null) return { ...paid, status: 'active', until: null };
  return untilThen(paid, 'active', after(currentEnd, LATE_NEWS_MS), now);
}

function untilThen(
  paid: Paid,
  status: 'active' | 'cancelled',
  until: Date | null,
  now: Date,
): Entitlement | undefined {
  return until !== null && until > now ? { ...paid, status, until } : undefined;
}

function after(at: Date, ms: number): Date {
  return new Date(at.getTime() + ms);
}

/** A look at a provider: what was seen, and its place among the looks at the same subscription. */
export interface Look {
  ticket: number;
  seen: { status: MirrorStatus };
}

/** Whether a subscription can never come back. */
export function isOver(status: MirrorStatus): boolean {
  return status === 'cancelled' || status === 'expired';
}

/**
 * Which of two looks counts, in whatever order they arrive: the one that says it is over, else the one whose ticket was
 * taken later. A look whose ticket is older began earlier, so the later one has seen what made the earlier one look.
 */
export function laterLook<A extends Look, B extends Look>(a: A, b: B): A | B {
  if (isOver(a.seen.status) !== isOver(b.seen.status)) return isOver(a.seen.status) ? a : b;
  return b.ticket > a.ticket ? b : a;
}
