import { inject } from 'vitest';
import {
  type BillingJobsParts,
  keepBilling,
  runBillingJobs,
} from '../../../src/features/billing/billing.jobs.ts';
import { billingRoutes } from '../../../src/features/billing/billing.routes.ts';
import { createBillingService } from '../../../src/features/billing/billing.service.ts';
import { servePaymentWebhooks } from '../../../src/features/billing/payment-webhooks.routes.ts';
import { createProviders } from '../../../src/features/billing/providers.ts';
import { createRazorpayProvider } from '../../../src/features/billing/razorpay/razorpay-provider.ts';
import { createStripeProvider } from '../../../src/features/billing/stripe/stripe-provider.ts';
import { findRecipients } from '../../../src/features/mail/mail.store.ts';
import { newUuid } from '../../../src/lib/ids.ts';
import { type PaymentSandboxOptions, startPaymentSandbox } from '../../../src/payment-sandbox/start.ts';
import type { Actor } from '../../../src/platform/context.ts';
import { createLifecycle } from '../../../src/platform/lifecycle/lifecycle.ts';
import { openEdge, principal } from '../../platform/http/open-edge.ts';
import type { Json } from '../../support/api-client.ts';
import { createTestDatabase, seedAccount } from '../../support/database.ts';
import { createTestJobs } from '../../support/jobs.ts';
import { silentLog } from '../../support/log.ts';
import { movableClock } from '../api-keys/open-api.ts';

export type Billing = Awaited<ReturnType<typeof openBilling>>;

export interface SentMail {
  accountId: string | null;
  to: string;
  template: string;
  values: Json;
}

/** Billing on a database of its own: the API, the jobs, and the payment sandbox in the providers' place. */
export async function openBilling(options: Partial<PaymentSandboxOptions> = {}) {
  const db = await createTestDatabase(inject('postgresUrl'));
  const { jobs, close: closeJobs } = await createTestJobs();
  const lifecycle = createLifecycle(silentLog);
  const clock = movableClock();
  const sandbox = await startPaymentSandbox({ host: '127.0.0.1', port: 0, ...options });
  const { keys } = sandbox;
  const providers = createProviders([
    createStripeProvider({
      secretKey: keys.stripeSecretKey,
      webhookSecrets: ['whsec_of_yesterday', keys.stripeWebhookSecret],
      apiUrl: sandbox.url,
      currency: 'USD',
    }),
    createRazorpayProvider({
      keyId: keys.razorpayKeyId,
      keySecret: keys.razorpayKeySecret,
      webhookSecrets: [keys.razorpayWebhookSecret],
      apiUrl: sandbox.razorpayUrl,
      clock,
    }),
  ]);
  const mails: SentMail[] = [];
  const actors = new Map<string, Actor>();
  const parts = {
    database: db.database,
    jobs,
    lifecycle,
    newUuid,
    clock,
    log: silentLog,
    providers,
    plansUrl: 'https://pingr.test/plans',
    returnUrl: 'https://pingr.test/billing',
    basePlan: 'trial',
    onFact: () => undefined,
    mail: {
      async sendToOwners(tx, { accountId, template, values }) {
        for (const { email: to } of await findRecipients(tx, accountId)) {
          mails.push({ accountId, to, template, values });
        }
      },
      wake: () => undefined,
    },
  } satisfies BillingJobsParts & { returnUrl: string };
  const edge = await openEdge({
    database: db.database,
    vault: db.vault,
    authenticate: async (credential) => {
      const actor = actors.get(credential);
      return principal({ accountId: credential, mode: 'live', ...(actor && { actor }) });
    },
    routes: billingRoutes(createBillingService(parts)),
    pages: [(app) => servePaymentWebhooks(app, providers, parts)],
  });
  sandbox.sendWebhooksTo(edge.url);
  await runBillingJobs(parts);

  /** Presses a button of the sandbox. @returns where it leads, and the page */
  async function press(url: string, action: string) {
    const response = await fetch(url, {
      method: 'POST',
      body: new URLSearchParams({ action }),
      redirect: 'manual',
    });
    return {
      status: response.status,
      location: response.headers.get('location'),
      text: await response.text(),
    };
  }

  /** An account with an address, and calls of one person or key. */
  async function openAccount(actor: Actor = { type: 'api_key', id: newUuid() }) {
    const id = await seedAccount(db);
    actors.set(id, actor);
    await db.owner.query('update accounts set email = $2 where id = $1', [id, `${id}@example.com`]);
    const call = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
      edge.call(method, path, body, { 'x-api-key': id, ...headers });
    const subscription = async (): Promise<Json> =>
      (await call('GET', '/v1/billing/subscription')).json<Json>();
    const checkout = async (body: object): Promise<Json> =>
      (await call('POST', '/v1/billing/checkout', body)).json<Json>();
    /** Id of the provider's subscription that was made last. */
    const providerId = async (): Promise<string> => {
      const { rows } = await db.owner.query(
        'select provider_subscription_id as id from provider_subscriptions where account_id = $1 order by id desc limit 1',
        [id],
      );
      return rows[0]?.id;
    };
    return { id, call, subscription, checkout, providerId };
  }

  return {
    ...{ db, edge, sandbox, providers, parts, mails, clock, press, openAccount },
    keep: () => keepBilling(parts),
    async close() {
      await lifecycle.close('test over');
      await edge.close();
      await sandbox.close();
      await closeJobs();
      await db.close();
    },
  };
}
