export const INTERVALS = ['month', 'year'] as const;
export type Interval = (typeof INTERVALS)[number];

export const PROVIDERS = ['stripe', 'razorpay'] as const;
export type ProviderName = (typeof PROVIDERS)[number];

/** What a plan costs, in minor units of the currency. */
export interface Price {
  interval: Interval;
  currency: string;
  amount: number;
}

/** A plan as stored; a null limit is none. */
export interface PlanRow {
  id: string;
  /** The larger plan has the larger position. */
  position: number;
  name: string;
  messages: number | null;
  test_messages: number;
  overage: 'refuse' | 'allow';
  sessions: number | null;
  test_sessions: number;
  requests_per_minute: number | null;
  test_requests_per_minute: number | null;
  members: number | null;
  retention_days: number | null;
  features: string[];
  trial_days: number | null;
  sold: boolean;
  prices: Price[];
}

/** One period's price of a plan that is bought. */
export interface PlanPrice extends Price {
  plan: string;
}
