import { toPage } from '../../platform/http/page.ts';
import { defineRoute, type Operation, type Route } from '../../platform/http/route.ts';
import { billingErrors } from './billing.errors.ts';
import * as schema from './billing.schema.ts';
import type { BillingService } from './billing.service.ts';
import { showCheckout, showInvoice, showPlan, showStanding } from './show-billing.ts';

const read = { tag: 'Billing', scope: 'billing:read' } satisfies Partial<Operation>;
const provider = [
  billingErrors.providerOff,
  billingErrors.providerRefused,
  billingErrors.providerUnavailable,
];
const write = {
  tag: 'Billing',
  scope: 'billing:write',
  wholeAccount: true,
  timeoutMs: 60_000,
} satisfies Partial<Operation>;
const subscription = {
  200: { description: 'The subscription as it is now.', schema: schema.subscriptionView },
} as const;

/** Plans, the account's subscription, and its invoices: both modes share them, and test keys only read them. */
export function billingRoutes(billing: BillingService): Route[] {
  return [
    ...readingRoutes(billing),
    checkoutRoute(billing),
    ...payingRoutes(billing),
    ...changingRoutes(billing),
  ];
}

function readingRoutes(billing: BillingService): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/v1/plans',
      operationId: 'listPlans',
      summary: 'List plans',
      ...read,
      description: 'The plans that are sold with their prices, and the one that the account has.',
      answers: { 200: { description: 'The plans.', schema: schema.planList } },
      handler: async ({ ctx }) => ({ status: 200, body: { data: (await billing.plans(ctx)).map(showPlan) } }),
    }),
    defineRoute({
      method: 'GET',
      path: '/v1/billing/subscription',
      operationId: 'getSubscription',
      ...read,
      summary: 'Get the subscription and what is used of it',
      answers: subscription,
      handler: async ({ ctx }) => ({ status: 200, body: showStanding(await billing.standing(ctx)) }),
    }),
    defineRoute({
      method: 'GET',
      path: '/v1/billing/invoices',
      operationId: 'listInvoices',
      ...read,
      summary: 'List invoices and receipts',
      query: schema.invoiceQuery,
      answers: { 200: { description: 'Invoices, newest first.', schema: schema.invoicePage } },
      handler: async ({ ctx, query }) => {
        const found = await billing.invoices(ctx, { ...query, limit: query.limit + 1 });
        return { status: 200, body: toPage(found, query, 'invoice', showInvoice) };
      },
    }),
  ];
}

function checkoutRoute(billing: BillingService): Route {
  return defineRoute({
    method: 'POST',
    path: '/v1/billing/checkout',
    operationId: 'startCheckout',
    ...write,
    summary: 'Start paying for a plan',
    description: 'Answers a page of the provider. The plan changes when the provider says that it was paid.',
    problems: [
      billingErrors.planUnknown,
      billingErrors.alreadySubscribed,
      billingErrors.oneOffUnsupported,
      ...provider,
    ],
    body: schema.checkoutBody,
    answers: { 201: { description: 'Where to pay.', schema: schema.checkoutView } },
    handler: async ({ ctx, body, http }) => {
      const { plan, interval, renews, return_url: returnUrl } = body;
      const idempotencyKey = http.idempotency?.key;
      const request = { plan, interval, renews, returnUrl, idempotencyKey, provider: body.provider };
      return { status: 201, body: showCheckout(await billing.checkout(ctx, request), renews) };
    },
  });
}

function payingRoutes(billing: BillingService): Route[] {
  return [
    defineRoute({
      method: 'POST',
      path: '/v1/billing/checkout/confirm',
      operationId: 'confirmCheckout',
      ...write,
      summary: "Hand over what Razorpay's checkout answered",
      description:
        "Checks Razorpay's signature and looks at once whether it was paid, so that nobody waits for the webhook. Optional.",
      problems: [billingErrors.proofInvalid, ...provider],
      body: schema.proofBody,
      answers: subscription,
      handler: async ({ ctx, body }) => {
        const standing = await billing.confirm(ctx, {
          subscriptionId: body.razorpay_subscription_id ?? body.razorpay_payment_link_id ?? '',
          paymentId: body.razorpay_payment_id,
          signature: body.razorpay_signature,
          referenceId: body.razorpay_payment_link_reference_id,
          status: body.razorpay_payment_link_status,
        });
        return { status: 200, body: showStanding(standing) };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/v1/billing/portal',
      operationId: 'openPortal',
      ...write,
      idempotency: 'none',
      summary: 'Open the page where the card is changed',
      problems: [billingErrors.notSubscribed, ...provider],
      body: schema.portalBody,
      answers: { 201: { description: 'The page.', schema: schema.portalView } },
      handler: async ({ ctx, body }) => ({
        status: 201,
        body: { url: await billing.manageUrl(ctx, body.return_url) },
      }),
    }),
  ];
}

function changingRoutes(billing: BillingService): Route[] {
  return [
    defineRoute({
      method: 'POST',
      path: '/v1/billing/change-plan',
      operationId: 'changePlan',
      ...write,
      summary: 'Change the plan',
      description:
        'A larger plan starts at once, where the provider is paid the difference; where that is declined, the answer is 402 and the plan stays. A smaller one starts with the next period.',
      problems: [
        billingErrors.planUnknown,
        billingErrors.notSubscribed,
        billingErrors.samePlan,
        billingErrors.paymentDeclined,
        ...provider,
      ],
      body: schema.changeBody,
      answers: subscription,
      handler: async ({ ctx, body }) => ({
        status: 200,
        body: showStanding(await billing.changePlan(ctx, body)),
      }),
    }),
    defineRoute({
      method: 'POST',
      path: '/v1/billing/cancel',
      operationId: 'cancelSubscription',
      ...write,
      summary: 'Cancel the subscription',
      problems: [billingErrors.notSubscribed, ...provider],
      body: schema.cancelBody,
      answers: subscription,
      handler: async ({ ctx, body }) => ({
        status: 200,
        body: showStanding(await billing.cancel(ctx, body.at)),
      }),
    }),
    defineRoute({
      method: 'POST',
      path: '/v1/billing/resume',
      operationId: 'resumeSubscription',
      ...write,
      summary: 'Take a cancellation back, or go on after a pause',
      description: 'Razorpay cannot take a cancellation back; it answers 409.',
      problems: [
        billingErrors.notSubscribed,
        billingErrors.notCancelled,
        billingErrors.cannotResume,
        billingErrors.paymentDeclined,
        ...provider,
      ],
      answers: subscription,
      handler: async ({ ctx }) => ({ status: 200, body: showStanding(await billing.resume(ctx)) }),
    }),
  ];
}
