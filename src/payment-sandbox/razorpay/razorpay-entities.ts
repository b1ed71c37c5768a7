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

export interface RazorpayState {
  plans: Record<string, RazorpayPlan>;
  subscriptions: Record<string, RazorpaySubscription>;
  invoices: Record<string, RazorpayInvoice>;
  links: Record<string, RazorpayLink>;
  /** What happens to a subscription when its cycle ends, by its id; Razorpay does not show a cancellation. */
  atCycleEnd: Record<string, { cancel: true } | { planId: string }>;
}

export const emptyRazorpay = (): RazorpayState => ({
  plans: {},
  subscriptions: {},
  invoices: {},
  links: {},
  atCycleEnd: {},
});
