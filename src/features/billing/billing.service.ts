import type { Context } from '../../platform/context.ts';
import { causeOf } from './asking.ts';
import { billingErrors } from './billing.errors.ts';
import * as store from './billing.store.ts';
import * as changes from './change-subscription.ts';
import type { CheckoutProof, When } from './payment-provider.ts';
import type { Interval, PlanRow } from './plans.model.ts';
import type { PaymentProviders } from './providers.ts';
import { type RefreshParts, refreshSubscription } from './refresh-subscription.ts';
import { type Checkout, type CheckoutRequest, startCheckout } from './start-checkout.ts';

export interface BillingDependencies extends RefreshParts {
  providers: PaymentProviders;
  /** Where people come back to who named no other page. */
  returnUrl: string;
}

/** An account's plan and what is used of it. */
export interface Standing {
  current: store.CurrentRow;
  quotas: store.QuotaRow[];
  plan: PlanRow | undefined;
}

/** The use cases of plans and payment. Throws `billing.*`. */
export interface BillingService {
  /** Those that are sold, and the caller's own. */
  plans(ctx: Context): Promise<PlanRow[]>;
  standing(ctx: Context): Promise<Standing>;
  checkout(ctx: Context, request: CheckoutRequest): Promise<Checkout>;
  /** What a person brings back from Razorpay; the plan is then active without waiting for the webhook. */
  confirm(ctx: Context, proof: CheckoutProof): Promise<Standing>;
  changePlan(ctx: Context, to: { plan: string; interval: Interval }): Promise<Standing>;
  cancel(ctx: Context, when: When): Promise<Standing>;
  resume(ctx: Context): Promise<Standing>;
  manageUrl(ctx: Context, returnUrl: string | undefined): Promise<string>;
  invoices(ctx: Context, page: { limit: number; after?: string | undefined }): Promise<store.InvoiceRow[]>;
}

export function createBillingService(deps: BillingDependencies): BillingService {
  const { database } = deps;

  async function standing(ctx: Context): Promise<Standing> {
    return database.account({ accountId: ctx.accountId }, async (tx) => {
      const current = await store.findCurrent(tx);
      if (current === undefined) throw billingErrors.notSubscribed();
      const quotas = await store.findQuotas(tx);
      const plans = await store.listPlans(tx);
      return { current, quotas, plan: plans.find(({ id }) => id === current.plan) };
    });
  }

  return {
    standing,
    checkout: (ctx, request) => startCheckout(deps, ctx, request),

    plans: (ctx) => database.accountOnce(ctx, store.listOfferedPlans),

    async confirm(ctx, proof) {
      const live = await database.accountOnce(ctx, store.listLiveMirrors);
      const known = live.find((mirror) => mirror.provider_subscription_id === proof.subscriptionId);
      const provider = known && deps.providers.find(known.provider);
      if (provider?.isProof?.(proof) !== true) throw billingErrors.proofInvalid();
      await refreshSubscription(deps, provider, proof.subscriptionId, causeOf(ctx));
      return standing(ctx);
    },

    async changePlan(ctx, to) {
      await changes.changePlan(deps, ctx, to);
      return standing(ctx);
    },

    async cancel(ctx, when) {
      await changes.cancelSubscription(deps, ctx, when);
      return standing(ctx);
    },

    async resume(ctx) {
      await changes.resumeSubscription(deps, ctx);
      return standing(ctx);
    },

    manageUrl: (ctx, returnUrl) => changes.manageUrl(deps, ctx, returnUrl ?? deps.returnUrl),
    invoices: (ctx, page) => database.accountOnce(ctx, (tx) => store.listInvoices(tx, page)),
  };
}
