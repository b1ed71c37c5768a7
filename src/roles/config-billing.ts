import { z } from 'zod';
import { variables } from './config-registry.ts';
import { port } from './config-values.ts';

const services = ['all', 'api', 'worker'] as const;

/** Secrets with commas between: the current one first, then those before it. */
const secrets = z.string().transform((text) => text.split(',').map((secret) => secret.trim()));

/** The variables of plans and payments. */
export const billingShape = {
  basePlan: z.enum(['trial', 'unlimited']).optional().register(variables, {
    env: 'BASE_PLAN',
    section: 'Payments',
    doc: 'What accounts have that pay nothing: `trial` (7 days, then the free plan), or `unlimited` where a team runs Pingr for itself.',
    default: '`trial` where a payment provider is set up, else `unlimited`',
    roles: services,
  }),
  billingUrl: z
    .url({ protocol: /^https?$/ })
    .optional()
    .register(variables, {
      env: 'BILLING_URL',
      section: 'Payments',
      doc: 'Page where plans are chosen: people come back to it from paying, and mails lead to it.',
      default: '`PUBLIC_URL/billing`',
      roles: services,
    }),
  stripeSecretKey: z
    .string()
    .regex(/^(sk|rk)_/, 'must be a secret or restricted key of Stripe')
    .optional()
    .register(variables, {
      env: 'STRIPE_SECRET_KEY',
      section: 'Payments',
      doc: 'Key of the Stripe account that takes payments; needs STRIPE_WEBHOOK_SECRET.',
      default: 'in `all`, where no provider is set up: that of the payment sandbox',
      secret: true,
      roles: services,
    }),
  stripeWebhookSecrets: secrets.optional().register(variables, {
    env: 'STRIPE_WEBHOOK_SECRET',
    section: 'Payments',
    doc: 'Signing secret (`whsec_…`) of the webhook endpoint at Stripe that calls `/webhooks/stripe`; during a rotation several with commas.',
    default: 'as STRIPE_SECRET_KEY',
    secret: true,
    roles: services,
  }),
  stripeCurrency: z.enum(['USD', 'INR']).default('USD').register(variables, {
    env: 'STRIPE_CURRENCY',
    section: 'Payments',
    doc: 'Currency of the prices that are paid by Stripe.',
    default: 'USD',
    roles: services,
  }),
  stripeApiUrl: z
    .url({ protocol: /^https?$/ })
    .optional()
    .register(variables, {
      env: 'STRIPE_API_URL',
      section: 'Payments',
      doc: "Another server that speaks Stripe's API.",
      default: "Stripe's own; in `all`: the payment sandbox",
      roles: services,
    }),
  razorpayKeyId: z.string().regex(/^rzp_/, 'must be a key id of Razorpay').optional().register(variables, {
    env: 'RAZORPAY_KEY_ID',
    section: 'Payments',
    doc: 'Key id of the Razorpay account that takes payments; needs RAZORPAY_KEY_SECRET and RAZORPAY_WEBHOOK_SECRET.',
    default: 'as STRIPE_SECRET_KEY',
    roles: services,
  }),
  razorpayKeySecret: z.string().optional().register(variables, {
    env: 'RAZORPAY_KEY_SECRET',
    section: 'Payments',
    doc: 'Secret of that key.',
    default: 'as STRIPE_SECRET_KEY',
    secret: true,
    roles: services,
  }),
  razorpayWebhookSecrets: secrets.optional().register(variables, {
    env: 'RAZORPAY_WEBHOOK_SECRET',
    section: 'Payments',
    doc: 'Secret of the webhook at Razorpay that calls `/webhooks/razorpay`; after a change the new one and, for 15 days, the old one, with a comma.',
    default: 'as STRIPE_SECRET_KEY',
    secret: true,
    roles: services,
  }),
  razorpayApiUrl: z
    .url({ protocol: /^https?$/ })
    .optional()
    .register(variables, {
      env: 'RAZORPAY_API_URL',
      section: 'Payments',
      doc: "Another server that speaks Razorpay's API, without `/v1`.",
      default: "Razorpay's own; in `all`: the payment sandbox",
      roles: services,
    }),

  paymentSandboxHost: z
    .string()
    .default('127.0.0.1')
    .register(variables, {
      env: 'PAYMENT_SANDBOX_HOST',
      section: 'Payments',
      doc: 'Address that the payment sandbox listens on. Whoever reaches it can pay for nothing.',
      default: '127.0.0.1',
      roles: ['all', 'payment-sandbox'],
    }),
  paymentSandboxPort: port.default(3012).register(variables, {
    env: 'PAYMENT_SANDBOX_PORT',
    section: 'Payments',
    doc: 'Port of the payment sandbox.',
    default: '3012; in `all`: a free one',
    roles: ['all', 'payment-sandbox'],
  }),
  paymentSandboxTarget: z
    .url({ protocol: /^https?$/ })
    .optional()
    .register(variables, {
      env: 'PAYMENT_SANDBOX_TARGET',
      section: 'Payments',
      doc: "Base address of the API that gets the payment sandbox's webhooks.",
      default: '`http://127.0.0.1:PORT`',
      roles: ['all', 'payment-sandbox'],
    }),
} as const;
