import type { IncomingHttpHeaders } from 'node:http';
import type { Cause } from '../../platform/context.ts';
import type { Interval, PlanPrice, ProviderName } from './plans.model.ts';
import type { DisputeStatus } from './refunds.model.ts';
import type { MirrorStatus } from './subscription.model.ts';

/** What a subscription is for: a price that was made at the provider, or the terms themselves. */
export type SeenPrice = { priceId: string } | PlanPrice;

/** A subscription as the provider describes it now. */
export interface SeenSubscription {
  id: string;
  /** UUID, from what we wrote on it; `undefined` where it is none of ours. */
  accountId: string | undefined;
  /** Who started the checkout, where that was written on it. */
  startedBy: Cause | undefined;
  customerId: string | null;
  price: SeenPrice;
  status: MirrorStatus;
  renews: boolean;
  /** When its first period began, as far as that is known. */
  boughtAt: Date | null;
  currentStart: Date | null;
  currentEnd: Date | null;
  /** `undefined` where the provider does not say. */
  cancelAtPeriodEnd: boolean | undefined;
  /** Provider's price that the next period will have; null where it stays. */
  scheduledPriceId: string | null;
  endedAt: Date | null;
  pastDueSince: Date | null;
  /** Where it can be paid, while it is not. */
  checkoutUrl: string | null;
}

export interface SeenInvoice {
  id: string;
  number: string;
  status: 'open' | 'paid' | 'void' | 'failed';
  /** Minor units. */
  amount: number;
  currency: string;
  paymentId: string | null;
  periodStart: Date | null;
  periodEnd: Date | null;
  issuedAt: Date;
  paidAt: Date | null;
  url: string | null;
}

/** A payment as the provider describes it now; in minor units. */
export interface SeenPayment {
  amount: number;
  /** All its refunds but those that failed. */
  amountRefunded: number;
}

export interface SeenDispute {
  id: string;
  paymentId: string;
  status: DisputeStatus;
  /** Minor units. */
  amount: number;
  /** The provider's word for it. */
  reason: string | null;
  openedAt: Date;
}

/** A refund or a dispute that the provider lists. */
export interface ListedReturn {
  paymentId: string;
  /** Null for a refund. */
  disputeId: string | null;
  at: Date;
}

export interface CheckoutInput {
  /** UUID. */
  accountId: string;
  accountName: string;
  email: string | null;
  /** Known from an earlier checkout. */
  customerId: string | undefined;
  price: PlanPrice;
  /** The provider's id of the price. */
  priceId: string;
  /** False: one payment for one period. */
  renews: boolean;
  /** Where the person comes back to. */
  returnUrl: string;
  startedBy: Cause;
  /** The same for repeats of one request. */
  idempotencyKey: string;
}

export interface StartedCheckout {
  /** Where the person pays. */
  url: string;
  /** Where the provider makes the subscription before it is paid. */
  subscriptionId: string | undefined;
}

/** What a webhook points at, if anything. Only ids are taken from it: the state is always asked of the provider. */
export interface PaymentNotice {
  eventId: string;
  type: string;
  subscriptionId: string | null;
  invoiceId: string | null;
  /** Of a refund or a dispute. */
  paymentId: string | null;
  disputeId: string | null;
}

export interface WebhookInput {
  rawBody: Buffer;
  headers: IncomingHttpHeaders;
}

/** What a person brings back from Razorpay's checkout. */
export interface CheckoutProof {
  subscriptionId: string;
  paymentId: string;
  signature: string;
  /** Of a payment link. */
  referenceId?: string | undefined;
  status?: string | undefined;
}

export type When = 'now' | 'period_end';

/**
 * One who takes payments. Methods throw `billing.provider_refused` where the provider says no,
 * `billing.payment_declined` where the payer's bank does, and `billing.provider_unavailable` where it cannot be reached.
 */
export interface PaymentProvider {
  readonly name: ProviderName;
  /** Names the merchant account there, without a secret: ids of prices belong to it. */
  readonly merchant: string;
  /** ISO 4217; the prices that it charges. */
  readonly currency: string;
  /** Public key for the provider's own checkout script, where there is one. */
  readonly keyId?: string;
  /** Makes the price there, or finds it. */
  createPrice(price: PlanPrice, planName: string): Promise<string>;
  startCheckout(input: CheckoutInput): Promise<StartedCheckout>;
  /** `undefined` where it knows none of that id. */
  fetchSubscription(id: string): Promise<SeenSubscription | undefined>;
  /** Newest first; of the last periods. */
  listInvoices(subscriptionId: string): Promise<SeenInvoice[]>;
  /** Now: only once the difference is paid. */
  changePrice(subscriptionId: string, priceId: string, when: When): Promise<void>;
  cancel(subscriptionId: string, when: When): Promise<void>;
  /** Takes a cancellation at the end of the period back, or goes on after a pause. */
  resume(subscriptionId: string): Promise<void>;
  /** A page of the provider's where the person changes the card and sees invoices. */
  manageUrl(of: { customerId: string | null; subscriptionId: string; returnUrl: string }): Promise<string>;
  /** Ids of the subscriptions that were made since, for those whose webhooks never came. */
  listSubscriptionsSince(since: Date): AsyncIterable<string>;
  /** `undefined` where it knows none of that id, or nothing was paid. */
  fetchPayment(id: string): Promise<SeenPayment | undefined>;
  /** `undefined` where it knows none of that id. */
  fetchDispute(id: string): Promise<SeenDispute | undefined>;
  /** What a payment paid; `undefined` where that is no invoice of a subscription. */
  findInvoice(paymentId: string): Promise<{ subscriptionId: string; invoice: SeenInvoice } | undefined>;
  listRefundsSince(since: Date): AsyncIterable<ListedReturn>;
  listDisputesSince(since: Date): AsyncIterable<ListedReturn>;
  /** @throws billing.webhook_signature_invalid or billing.webhook_unreadable */
  readWebhook(input: WebhookInput): PaymentNotice;
  /** Whether what a person brings back was signed by the provider. Absent where it signs nothing. */
  isProof?(proof: CheckoutProof): boolean;
}

/** Length of a period that is paid once. */
export function addInterval(start: Date, interval: Interval): Date {
  const end = new Date(start);
  const months = interval === 'month' ? 1 : 12;
  const day = end.getUTCDate();
  end.setUTCDate(1);
  end.setUTCMonth(end.getUTCMonth() + months);
  const last = new Date(Date.UTC(end.getUTCFullYear(), end.getUTCMonth() + 1, 0)).getUTCDate();
  end.setUTCDate(Math.min(day, last));
  return end;
}
