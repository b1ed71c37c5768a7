/** The parts of Razorpay's objects that the sandbox keeps; times in seconds. Source: https://razorpay.com/docs/api/ */
export interface RazorpayPlan {
  id: string;
  entity: 'plan';
  period: 'monthly' | 'yearly';
  interval: 1;
  item: { id: string; name: string; amount: number; currency: string };
  notes: Notes;
  created_at: number;
}

/** `[]` where there are none. */
export type Notes = Record<string, string> | [];

export interface RazorpaySubscription {
  id: string;
  entity: 'subscription';
  plan_id: string;
  customer_id: string | null;
  status:
    | 'created'
    | 'authenticated'
    | 'active'
    | 'pending'
    | 'halted'
    | 'paused'
    | 'cancelled'
    | 'completed'
    | 'expired';
  current_start: number | null;
  current_end: number | null;
  ended_at: number | null;
  charge_at: number | null;
  quantity: number;
  notes: Notes;
  total_count: number;
  paid_count: number;
  remaining_count: number;
  created_at: number;
  expire_by: number | null;
  short_url: string;
  has_scheduled_changes: boolean;
  change_scheduled_at: number | null;
  source: 'api';
}

export interface RazorpayInvoice {
  id: string;
  entity: 'invoice';
  invoice_number: string | null;
  receipt: string | null;
  subscription_id: string;
  payment_id: string | null;
  status: 'issued' | 'paid' | 'cancelled';
  amount: number;
  currency: string;
  billing_start: number;
  billing_end: number;
  issued_at: number;
  paid_at: number | null;
  short_url: string;
  created_at: number;
}

export interface RazorpayLink {
  id: string;
  entity: 'payment_link';
  status: 'created' | 'paid' | 'expired' | 'cancelled';
  amount: number;
  amount_paid: number;
  currency: string;
  description: string;
  reference_id: string;
  callback_url: string;
  short_url: string;
  notes: Notes;
  payments:
    | { payment_id: string; amount: number; status: 'captured'; method: 'card'; created_at: number }[]
    | null;
  created_at: number;
  updated_at: number;
  expire_by: number;
}

export interface RazorpayPayment {
  id: string;
  entity: 'payment';
  amount: number;
  currency: string;
  status: 'captured' | 'refunded';
  order_id: string | null;
  /** Of a subscription's payment. */
  invoice_id: string | null;
  international: false;
  method: 'card';
  amount_refunded: number;
  refund_status: 'partial' | 'full' | null;
  /** Real ones say it in many ways, and not always alike. */
  captured: true | '1';
  notes: Notes;
  created_at: number;
}

export interface RazorpayRefund {
  id: string;
  entity: 'refund';
  amount: number;
  currency: string;
  payment_id: string;
  notes: Notes;
  receipt: string | null;
  acquirer_data: { arn: string | null };
  created_at: number;
  batch_id: null;
  status: 'pending' | 'processed' | 'failed';
  speed_processed: 'normal';
  speed_requested: 'normal';
}

export interface RazorpayDispute {
  id: string;
  entity: 'dispute';
  payment_id: string;
  amount: number;
  currency: string;
  amount_deducted: number;
  reason_code: string;
  respond_by: number;
  status: 'open' | 'under_review' | 'won' | 'lost' | 'closed';
  phase: 'chargeback';
  created_at: number;
}

export interface RazorpayState {
  plans: Record<string, RazorpayPlan>;
  subscriptions: Record<string, RazorpaySubscription>;
  invoices: Record<string, RazorpayInvoice>;
  links: Record<string, RazorpayLink>;
  payments: Record<string, RazorpayPayment>;
  refunds: Record<string, RazorpayRefund>;
  disputes: Record<string, RazorpayDispute>;
  /** What happens to a subscription when its cycle ends, by its id; Razorpay does not show a cancellation. */
  atCycleEnd: Record<string, { cancel: true } | { planId: string }>;
  /** Subscriptions whose next charge by the API is declined. */
  declineNext: Record<string, true>;
}

export const emptyRazorpay = (): RazorpayState => ({
  plans: {},
  subscriptions: {},
  invoices: {},
  links: {},
  payments: {},
  refunds: {},
  disputes: {},
  atCycleEnd: {},
  declineNext: {},
});
