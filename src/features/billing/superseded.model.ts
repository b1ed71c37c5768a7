import type { Mirror } from './subscription.model.ts';

/**
 * Subscriptions that are to end, because the account has bought another since and that one is paid: of one that is paid
 * too, what was paid is used up first; one that owes must never be charged again. Their order does not matter.
 */
export function supersededOf(mirrors: readonly Mirror[], now: Date): Mirror[] {
  const renewing = mirrors.filter(({ renews }) => renews);
  const [kept] = renewing.filter((mirror) => goesOn(mirror) && isPaid(mirror, now)).sort(boughtLater);
  if (kept === undefined) return [];
  return renewing.filter((mirror) => mirror !== kept && mayCharge(mirror) && boughtLater(kept, mirror) < 0);
}

function goesOn({ status, cancelAtPeriodEnd }: Mirror): boolean {
  return status === 'active' && !cancelAtPeriodEnd;
}

function isPaid({ currentEnd }: Mirror, now: Date): boolean {
  return currentEnd === null || currentEnd > now;
}

/** One that owes may come back, even where it was to end with a period. */
function mayCharge(mirror: Mirror): boolean {
  return goesOn(mirror) || mirror.status === 'past_due' || mirror.status === 'halted';
}

/** The one bought last comes first. */
function boughtLater(a: Mirror, b: Mirror): number {
  return (b.boughtAt?.getTime() ?? 0) - (a.boughtAt?.getTime() ?? 0) || (b.id < a.id ? -1 : 1);
}
