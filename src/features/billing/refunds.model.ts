/** How much of a payment went back. */
export type RefundStatus = 'partial' | 'full';

export const DISPUTE_STATUSES = ['open', 'under_review', 'won', 'lost', 'closed'] as const;
/** Where a dispute stands, seen from the merchant: `won` is money kept, `closed` one that was dropped. */
export type DisputeStatus = (typeof DISPUTE_STATUSES)[number];

/** A dispute of a payment, as it was seen. */
export interface Dispute {
  /** The provider's. */
  id: string;
  status: DisputeStatus;
  openedAt: Date;
}

/** What a look saw, and its place among the looks at the same payment. */
export interface TicketedDispute extends Dispute {
  ticket: number;
}

/** @returns null where nothing went back */
export function refundStatusOf(amount: number, amountRefunded: number): RefundStatus | null {
  if (amountRefunded <= 0) return null;
  return amountRefunded >= amount ? 'full' : 'partial';
}

/** Which of two looks at a payment's refunds counts, in whatever order they arrive: the one whose ticket was taken later. */
export function laterRefund<A extends { ticket: number }, B extends { ticket: number }>(a: A, b: B): A | B {
  return b.ticket > a.ticket ? b : a;
}

/** What is new in a payment's refunds; amounts in minor units. */
export interface RefundNews {
  type: 'invoice.refunded' | 'invoice.refund_failed';
  /** By how much more, or less, has gone back than was known. */
  refundAmount: number;
}

/** What to say where the provider's total differs from the one that is known. `undefined` for nothing. */
export function refundNews(known: number, seen: number): RefundNews | undefined {
  if (seen === known) return undefined;
  return {
    type: seen > known ? 'invoice.refunded' : 'invoice.refund_failed',
    refundAmount: Math.abs(seen - known),
  };
}

/**
 * Which of two looks at a payment's disputes counts, in whatever order they arrive: the dispute that was opened later
 * (a bank may raise a second one), and of the same dispute the look whose ticket was taken later.
 */
export function laterDispute<A extends TicketedDispute, B extends TicketedDispute>(a: A, b: B): A | B {
  if (a.id === b.id) return b.ticket > a.ticket ? b : a;
  const later = b.openedAt.getTime() - a.openedAt.getTime() || (b.id > a.id ? 1 : -1);
  return later > 0 ? b : a;
}

/** Whether the bank has not decided yet. */
export function isOpenDispute(status: DisputeStatus): boolean {
  return status === 'open' || status === 'under_review';
}

export type DisputeNews = 'invoice.disputed' | 'invoice.dispute_closed';

/** What to say of a dispute that replaces what was known. `undefined` for nothing. */
export function disputeNews(known: Dispute | null, seen: Dispute): DisputeNews | undefined {
  const wasOpen = known?.id === seen.id ? isOpenDispute(known.status) : undefined;
  const isOpen = isOpenDispute(seen.status);
  if (wasOpen === isOpen) return undefined;
  return isOpen ? 'invoice.disputed' : 'invoice.dispute_closed';
}
