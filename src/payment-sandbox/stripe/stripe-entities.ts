/** The parts of Stripe's objects that the sandbox keeps; times in seconds. Source: https://docs.stripe.com/api */
export interface StripePrice {
  id: string;
  object: 'price';
  currency: string;
  unit_amount: number;
  lookup_key: string | null;
  recurring: { interval: 'month' | 'year'; interval_count: 1 };
  product: string;
  /** Shown on our pages; Stripe keeps it on the product. */
  nickname: string;
  metadata: Record<string, string>;
  created: number;
}

export interface StripeSession {
  id: string;
  object: 'checkout.session';
  mode: 'subscription';
  status: 'open' | 'complete' | 'expired';
  payment_status: 'unpaid' | 'paid';
  url: string | null;
  success_url: string;
  cancel_url: string;
  client_reference_id: string | null;
  customer: string | null;
  customer_email: string | null;
  subscription: string | null;
  metadata: Record<string, string>;
  created: number;
  expires_at: number;
  /** What it is for; Stripe shows these when asked. */
  price: string;
  subscription_metadata: Record<string, string>;
}

export interface StripeItem {
  id: string;
  object: 'subscription_item';
  quantity: 1;
  price: StripePrice;
  current_period_start: number;
  current_period_end: number;
}

/** A change that waits for its invoice to be paid. */
export interface StripePendingUpdate {
  expires_at: number;
  subscription_items: [StripeItem];
  /** Begin of a new period, where the change makes one. */
  billing_cycle_anchor: number | null;
  trial_end: null;
  trial_from_plan: null;
}

export interface StripeSubscription {
  id: string;
  object: 'subscription';
  customer: string;
  status: 'active' | 'past_due' | 'unpaid' | 'canceled';
  cancel_at_period_end: boolean;
  cancel_at: number | null;
  canceled_at: number | null;
  ended_at: number | null;
  created: number;
  start_date: number;
  metadata: Record<string, string>;
  items: {
    object: 'list';
    data: [StripeItem];
  };
  /** Absent in files of an earlier version. */
  pending_update?: StripePendingUpdate | null;
  schedule: string | null;
  latest_invoice: string | null;
}

export interface StripeSchedule {
  id: string;
  object: 'subscription_schedule';
  status: 'active' | 'released';
  subscription: string | null;
  current_phase: { start_date: number; end_date: number } | null;
  phases: { start_date: number; end_date: number; items: { price: string; quantity: 1 }[] }[];
}

export interface StripeInvoice {
  id: string;
  object: 'invoice';
  number: string;
  status: 'open' | 'paid' | 'void';
  customer: string;
  currency: string;
  total: number;
  amount_due: number;
  amount_paid: number;
  created: number;
  hosted_invoice_url: string;
  status_transitions: { paid_at: number | null };
  parent: { type: 'subscription_details'; subscription_details: { subscription: string } };
  lines: {
    object: 'list';
    data: { object: 'line_item'; amount: number; period: { start: number; end: number } }[];
  };
  payments: { object: 'list'; data: StripeInvoicePayment[] };
}

export interface StripeInvoicePayment {
  id: string;
  object: 'invoice_payment';
  invoice: string;
  status: 'open' | 'paid';
  amount_requested: number;
  amount_paid: number | null;
  currency: string;
  created: number;
  is_default: true;
  payment: { type: 'payment_intent'; payment_intent: string };
}

/** What a PaymentIntent charged. It names no invoice: invoice payments do. */
export interface StripeCharge {
  id: string;
  object: 'charge';
  payment_intent: string;
  customer: string;
  amount: number;
  amount_captured: number;
  amount_refunded: number;
  currency: string;
  captured: true;
  paid: true;
  refunded: boolean;
  disputed: boolean;
  status: 'succeeded';
  created: number;
}

export interface StripeRefund {
  id: string;
  object: 'refund';
  amount: number;
  charge: string;
  payment_intent: string;
  currency: string;
  status: 'succeeded' | 'failed';
  failure_reason?: string;
  reason: string | null;
  metadata: Record<string, string>;
  balance_transaction: null;
  receipt_number: null;
  created: number;
}

export interface StripeDispute {
  id: string;
  object: 'dispute';
  amount: number;
  charge: string;
  payment_intent: string;
  currency: string;
  reason: 'fraudulent';
  status: 'needs_response' | 'under_review' | 'won' | 'lost';
  is_charge_refundable: boolean;
  metadata: Record<string, string>;
  balance_transactions: [];
  evidence_details: { due_by: number; has_evidence: boolean; past_due: false; submission_count: number };
  livemode: false;
  created: number;
}

export interface StripeEvent {
  id: string;
  object: 'event';
  type: string;
  created: number;
}

export interface StripeState {
  prices: Record<string, StripePrice>;
  sessions: Record<string, StripeSession>;
  subscriptions: Record<string, StripeSubscription>;
  schedules: Record<string, StripeSchedule>;
  invoices: Record<string, StripeInvoice>;
  customers: Record<string, { id: string; object: 'customer'; email: string | null; created: number }>;
  /** By their PaymentIntent. */
  charges: Record<string, StripeCharge>;
  refunds: Record<string, StripeRefund>;
  disputes: Record<string, StripeDispute>;
  events: StripeEvent[];
  /** Subscriptions whose next charge by the API is declined. */
  declineNext: Record<string, true>;
}

export const emptyStripe = (): StripeState => ({
  prices: {},
  sessions: {},
  subscriptions: {},
  schedules: {},
  invoices: {},
  customers: {},
  charges: {},
  refunds: {},
  disputes: {},
  events: [],
  declineNext: {},
});
