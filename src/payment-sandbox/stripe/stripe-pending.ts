import { endOfPeriod, type SandboxContext } from '../sandbox-context.ts';
import type { StripePrice, StripeSubscription } from './stripe-entities.ts';
import { emit } from './stripe-events.ts';

/** Stripe keeps a pending update for so long, or until the period ends. */
const PENDING_FOR_S = 23 * 3_600;

export interface Change {
  price: StripePrice;
  /** Minor units; less than zero is a credit. */
  due: number;
  period: { start: number; end: number };
}

export function applyChange({ items }: StripeSubscription, { price, period }: Omit<Change, 'due'>): void {
  const [item] = items.data;
  item.price = price;
  item.current_period_start = period.start;
  item.current_period_end = period.end;
}

/** Its invoice was declined. */
export function keepPending({ now }: SandboxContext, subscription: StripeSubscription, change: Change): void {
  const [item] = subscription.items.data;
  const isOtherInterval = item.price.recurring.interval !== change.price.recurring.interval;
  subscription.pending_update = {
    expires_at: Math.min(item.current_period_end, now() + PENDING_FOR_S),
    subscription_items: [{ ...item, price: change.price }],
    billing_cycle_anchor: isOtherInterval ? change.period.start : null,
    trial_end: null,
    trial_from_plan: null,
  };
}

/** What nobody paid for: its invoice is void. */
export function dropPending(context: SandboxContext, subscription: StripeSubscription): void {
  const invoice = context.state.stripe.invoices[subscription.latest_invoice ?? ''];
  const wasPending = subscription.pending_update;
  subscription.pending_update = null;
  if (!wasPending || invoice?.status !== 'open') return;
  invoice.status = 'void';
  emit(context, 'invoice.voided', invoice);
}

/** To be called once its invoice is paid. */
export function applyPending(subscription: StripeSubscription): void {
  const { pending_update: pending } = subscription;
  if (!pending) return;
  const [{ price, current_period_start: start, current_period_end: end }] = pending.subscription_items;
  const anchor = pending.billing_cycle_anchor;
  const period =
    anchor === null ? { start, end } : { start: anchor, end: endOfPeriod(anchor, price.recurring.interval) };
  applyChange(subscription, { price, period });
  subscription.pending_update = null;
}

/** Pending updates end by themselves. */
export function expirePending(context: SandboxContext, subscription: StripeSubscription): void {
  const { pending_update: pending } = subscription;
  if (pending && pending.expires_at < context.now()) dropPending(context, subscription);
}
