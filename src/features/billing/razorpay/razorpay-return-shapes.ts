import { z } from 'zod';
import type { SeenDispute } from '../payment-provider.ts';
import { DISPUTE_STATUSES } from '../refunds.model.ts';

/** Seconds since 1970. */
const time = z.coerce.number().transform((seconds) => new Date(seconds * 1_000));

/** The parts of Razorpay's payment that we read. */
export const paymentShape = z.object({
  amount: z.coerce.number(),
  invoice_id: z.string().nullish(),
});

/** The parts of Razorpay's refund that we read. */
export const refundShape = z.object({
  payment_id: z.string(),
  amount: z.coerce.number(),
  status: z.string().nullish(),
  created_at: time,
});

/** The parts of Razorpay's dispute that we read. */
export const disputeShape = z.object({
  id: z.string(),
  payment_id: z.string(),
  amount: z.coerce.number(),
  reason_code: z.string().nullish(),
  status: z.string(),
  created_at: time,
});

/** Razorpay's own words but one; a word of later days is a dispute that is not decided. */
export function seenDispute(dispute: z.output<typeof disputeShape>): SeenDispute {
  return {
    id: dispute.id,
    paymentId: dispute.payment_id,
    status: DISPUTE_STATUSES.find((known) => known === dispute.status) ?? 'open',
    amount: dispute.amount,
    reason: dispute.reason_code ?? null,
    openedAt: dispute.created_at,
  };
}

/** Which subscription an invoice is for. */
export const invoiceOwnerShape = z.object({ subscription_id: z.string().nullish() });

export const linkListShape = z.object({ payment_links: z.array(z.object({ id: z.string() })) });
