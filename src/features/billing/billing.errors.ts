import { defineErrors } from '../../lib/errors.ts';

export const billingErrors = defineErrors({
  planUnknown: {
    code: 'billing.plan_not_sold',
    status: 422,
    title: 'No such plan is sold',
    remedy: '`GET /v1/plans` lists the plans with their prices.',
  },
  providerOff: {
    code: 'billing.provider_not_configured',
    status: 422,
    title: 'Payments by this provider are not set up here',
    remedy: 'Leave `provider` out, or ask the operator to configure Stripe or Razorpay.',
  },
  oneOffUnsupported: {
    code: 'billing.one_off_unsupported',
    status: 422,
    title: 'This provider takes no single payments here',
    remedy: 'Leave `renews` out, or pay by Razorpay.',
  },
  alreadySubscribed: {
    code: 'billing.already_subscribed',
    status: 409,
    title: 'The account has a plan that is paid',
    remedy:
      'Change it with `POST /v1/billing/change-plan`; a payment that failed is made good at `POST /v1/billing/portal`.',
  },
  notSubscribed: {
    code: 'billing.not_subscribed',
    status: 409,
    title: 'The account has no plan that is paid',
    remedy: 'Start one with `POST /v1/billing/checkout`.',
  },
  samePlan: {
    code: 'billing.same_plan',
    status: 409,
    title: 'The account has this plan already',
    remedy: 'Name another plan or interval.',
  },
  notCancelled: {
    code: 'billing.nothing_to_resume',
    status: 409,
    title: 'The subscription is neither cancelled nor paused',
    remedy: 'There is nothing to do.',
  },
  cannotResume: {
    code: 'billing.cannot_resume',
    status: 409,
    title: 'The provider cannot take a cancellation back',
    remedy: 'Use the plan until its period ends, then start it anew with `POST /v1/billing/checkout`.',
  },
  proofInvalid: {
    code: 'billing.payment_proof_invalid',
    status: 422,
    title: 'The signature of the payment is wrong',
    remedy: "Send what Razorpay's checkout handed over, unchanged.",
  },
  paymentDeclined: {
    code: 'billing.payment_declined',
    status: 402,
    title: 'The payment was declined',
    remedy:
      'Nothing has changed. Change the card at `POST /v1/billing/portal` and ask again; where the detail names an open invoice, the change is also made once that is paid.',
  },
  providerRefused: {
    code: 'billing.provider_refused',
    status: 409,
    title: 'The payment provider refused',
    remedy: 'The detail says why.',
  },
  providerUnavailable: {
    code: 'billing.provider_unavailable',
    status: 503,
    title: 'The payment provider cannot be reached',
    remedy: 'Try again in a minute with the same Idempotency-Key.',
    repeatable: true,
  },
  signatureInvalid: {
    code: 'billing.webhook_signature_invalid',
    status: 401,
    title: 'The signature of the webhook is missing or wrong',
    remedy: "Check the webhook's secret at the provider and here.",
  },
  webhookUnreadable: {
    code: 'billing.webhook_unreadable',
    status: 400,
    title: 'The webhook is signed rightly, but its body cannot be used',
    remedy:
      'Send the events that the documentation names, in the version that the provider sends by default.',
  },
});
