import type { Interval, ProviderName } from './plans.model.ts';
import type { MirrorStatus } from './subscription.model.ts';

/** A subscription at a provider as stored. Times and ids of the provider's. */
export interface MirrorRow {
  id: string;
  account_id: string;
  provider: ProviderName;
  provider_subscription_id: string;
  provider_customer_id: string | null;
  plan: string;
  /** Of the plan. */
  position: number;
  interval: Interval;
  currency: string;
  amount: number;
  status: MirrorStatus;
  renews: boolean;
  current_start: Date | null;
  current_end: Date | null;
  cancel_at_period_end: boolean;
  cancel_asked: boolean;
  scheduled_plan: string | null;
  scheduled_interval: Interval | null;
  ended_at: Date | null;
  past_due_since: Date | null;
  checkout_url: string | null;
  /** Start of the first period that was seen. */
  bought_at: Date | null;
  /** Of the look that was written last. */
  ticket: number;
  created_at: Date;
}

/** Columns of {@link MirrorRow}; 64-bit numbers come as numbers. */
export const MIRROR_COLUMNS = `id, account_id, provider, provider_subscription_id, provider_customer_id, plan,
  (select p.position from app.plans p where p.id = plan) as position, interval, currency, amount::float8 as amount, status,
  renews, current_start, current_end, cancel_at_period_end, cancel_asked, scheduled_plan, scheduled_interval, ended_at,
  past_due_since, checkout_url, bought_at, ticket::float8 as ticket, created_at`;
