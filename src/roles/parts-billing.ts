import { runBillingJobs } from '../features/billing/billing.jobs.ts';
import { billingRoutes } from '../features/billing/billing.routes.ts';
import { createBillingService } from '../features/billing/billing.service.ts';
import { serveBillingPage } from '../features/billing/billing-page.routes.ts';
import { endSubscriptions } from '../features/billing/end-subscriptions.ts';
import type { PaymentProvider } from '../features/billing/payment-provider.ts';
import { servePaymentWebhooks } from '../features/billing/payment-webhooks.routes.ts';
import { createPlanLimits, type PlanLimits } from '../features/billing/plan-limits.ts';
import { createProviders } from '../features/billing/providers.ts';
import type { MailService } from '../features/mail/mail.service.ts';
import { newUuid } from '../lib/ids.ts';
import { systemClock } from '../lib/system-clock.ts';
import type { AppOptions } from '../platform/http/app.ts';
import type { Route } from '../platform/http/route.ts';
import { type ApiConfig, ConfigError, type WorkerConfig } from './config.ts';
import type { Core } from './core.ts';
import { publicUrlOf } from './parts-files.ts';

interface BillingNeeds {
  mail: MailService;
}

/** What the API's edge serves and asks. */
export interface BillingParts {
  routes: Route[];
  pages: NonNullable<AppOptions['pages']>;
  limits: PlanLimits;
}

/** Plans, checkouts and the providers' webhooks, in the API. */
export async function openBillingParts(
  core: Core,
  config: ApiConfig,
  needs: BillingNeeds,
): Promise<BillingParts> {
  const parts = await shared(core, config, needs);
  return {
    routes: billingRoutes(createBillingService({ ...parts, returnUrl: parts.plansUrl })),
    pages: [(app) => servePaymentWebhooks(app, parts.providers, parts), serveBillingPage],
    limits: await createPlanLimits(core),
  };
}

/**
 * Works on webhooks, on what time changes, and on what webhooks did not tell, in a worker.
 * @returns how to end what an account pays for, before it is erased
 */
export async function runBilling(
  core: Core,
  config: WorkerConfig,
  needs: BillingNeeds,
): Promise<{ settle: (accountId: string) => Promise<void> }> {
  const parts = await shared(core, config, needs);
  const basePlan = config.basePlan ?? (parts.providers.all().length > 0 ? 'trial' : 'unlimited');
  await runBillingJobs({ ...parts, lifecycle: core.lifecycle, basePlan });
  return { settle: (accountId) => endSubscriptions(parts, accountId) };
}

async function shared(core: Core, config: ApiConfig | WorkerConfig, { mail }: BillingNeeds) {
  const { database, jobs, log, events } = core;
  const opened = await Promise.all([stripeOf(config), razorpayOf(config)]);
  return {
    database,
    jobs,
    log,
    mail,
    newUuid,
    clock: systemClock,
    onFact: events.notify,
    providers: createProviders(opened.flat()),
    plansUrl: config.billingUrl ?? `${publicUrlOf(config)}/billing`,
  };
}

// The providers' libraries are large: only who has an account there loads them.

/** @throws ConfigError where it is set up by half: its webhooks could not be checked */
async function stripeOf(config: ApiConfig | WorkerConfig): Promise<PaymentProvider[]> {
  const { stripeSecretKey: secretKey, stripeWebhookSecrets: webhookSecrets } = config;
  if (secretKey === undefined) return [];
  if (webhookSecrets === undefined)
    throw new ConfigError(['STRIPE_WEBHOOK_SECRET: is required with STRIPE_SECRET_KEY']);
  const { stripeApiUrl: apiUrl, stripeCurrency: currency } = config;
  const { createStripeProvider } = await import('../features/billing/stripe/stripe-provider.ts');
  return [createStripeProvider({ secretKey, webhookSecrets, apiUrl, currency })];
}

/** @throws ConfigError as for Stripe */
async function razorpayOf(config: ApiConfig | WorkerConfig): Promise<PaymentProvider[]> {
  const {
    razorpayKeyId: keyId,
    razorpayKeySecret: keySecret,
    razorpayWebhookSecrets: webhookSecrets,
  } = config;
  if (keyId === undefined) return [];
  if (keySecret === undefined || webhookSecrets === undefined) {
    throw new ConfigError([
      'RAZORPAY_KEY_SECRET and RAZORPAY_WEBHOOK_SECRET: are required with RAZORPAY_KEY_ID',
    ]);
  }
  const { createRazorpayProvider } = await import('../features/billing/razorpay/razorpay-provider.ts');
  return [
    createRazorpayProvider({
      keyId,
      keySecret,
      webhookSecrets,
      apiUrl: config.razorpayApiUrl,
      clock: systemClock,
    }),
  ];
}
