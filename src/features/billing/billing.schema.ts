import { z } from 'zod';
import { idField, timeField } from '../../platform/http/api-fields.ts';
import { pageOf, pageQuery } from '../../platform/http/page.ts';
import { INTERVALS, PROVIDERS } from './plans.model.ts';
import { DISPUTE_STATUSES } from './refunds.model.ts';

const limit = (description: string, example: number) =>
  z
    .number()
    .int()
    .nullable()
    .meta({ description: `${description} Null for no limit.`, example });
const plan = z.string().meta({ description: 'Id of the plan.', example: 'growth' });
const amount = z.number().int().meta({ description: 'In minor units (cents, paise).', example: 4900 });
const currency = z.string().meta({ description: 'ISO 4217.', example: 'USD' });
const interval = z.enum(INTERVALS).meta({ description: 'How often it is paid.', example: 'month' });
const provider = z.enum(PROVIDERS).meta({ description: 'Who takes the payment.', example: 'stripe' });

const planView = z
  .object({
    id: plan,
    name: z.string().meta({ description: 'Name of the plan.', example: 'Growth' }),
    messages: limit('Outbound live messages a month.', 50_000),
    overage: z.enum(['refuse', 'allow']).meta({
      description:
        'What happens to messages beyond that: they are refused with 402, or they go on and are counted.',
      example: 'refuse',
    }),
    sessions: limit('Live sessions.', 10),
    requests_per_minute: limit(
      'Requests a minute that the live keys of the account may make together; null: the limit of the installation.',
      1_200,
    ),
    members: limit('People in the account.', 10),
    retention_days: limit('Longest time that contents are kept.', 180),
    features: z.array(z.string()).meta({
      description:
        'What comes with it. `webhooks` and `triggers`: that webhook endpoints and triggers can be made, and switched on, in live mode; those that an account has go on working on a smaller plan. `sandbox`: test mode, which every plan has, webhooks and triggers included. `campaigns` is reserved: there are none yet.',
      example: ['sandbox', 'webhooks', 'triggers'],
    }),
    trial_days: z
      .number()
      .int()
      .nullable()
      .meta({ description: 'Days that it lasts, for a trial.', example: null }),
    test: z
      .object({
        messages: z.number().int().meta({ description: 'Test messages a month.', example: 1_000_000 }),
        sessions: z.number().int().meta({ description: 'Test sessions.', example: 1_000 }),
      })
      .meta({ description: 'Test mode has its own limits and never costs.' }),
    prices: z
      .array(z.object({ interval, currency, amount }))
      .meta({ description: 'What it costs; none for a plan that is not sold.' }),
  })
  .meta({ id: 'Plan', description: 'What an account may use, and what that costs.' });

export const planList = z
  .object({ data: z.array(planView).meta({ description: 'Smallest first.' }) })
  .meta({ id: 'PlanList', description: 'The plans that are sold, and the one that the account has.' });

const used = (what: string) =>
  z
    .object({
      limit: limit(`${what} that the plan holds.`, 50_000),
      used: z
        .number()
        .int()
        .meta({ description: `${what} used.`, example: 1_234 }),
    })
    .meta({ description: `${what}: used and held.` });

const usage = z.object({
  messages: used('Messages'),
  sessions: used('Sessions'),
  period_start: timeField('When counting of messages began.'),
  period_end: timeField('When it begins anew.'),
});

export const subscriptionView = z
  .object({
    plan,
    status: z.enum(['trialing', 'active', 'past_due', 'halted', 'cancelled', 'free']).meta({
      description:
        '`trialing`: free until `trial_ends_at`. `active`: paid. `past_due`: a payment is missing, the plan goes on for up to 14 days. `halted`: a payment is missing and the plan has stopped. `cancelled`: paid until `current_period_end`, then `free`.',
      example: 'active',
    }),
    trial_ends_at: timeField('When the trial ends or ended.').nullable(),
    provider: provider.nullable(),
    interval: interval.nullable(),
    amount: amount.nullable(),
    currency: currency.nullable(),
    current_period_start: timeField('Start of the period that is paid.').nullable(),
    current_period_end: timeField('End of the period that is paid.').nullable(),
    renews: z.boolean().meta({ description: 'Whether it is paid again after that.', example: true }),
    cancel_at_period_end: z.boolean().meta({ description: 'Whether it was cancelled.', example: false }),
    scheduled_plan: plan
      .nullable()
      .meta({ description: 'Plan of the next period, where it is another.', example: null }),
    scheduled_interval: interval.nullable(),
    live: usage.meta({ description: 'Live mode.' }),
    test: usage.meta({ description: 'Test mode, which never costs.' }),
  })
  .meta({ id: 'Subscription', description: "The account's plan, how it is paid, and what is used of it." });

const returnUrl = z
  .url({ protocol: /^https?$/ })
  .max(1_000)
  .optional()
  .meta({ description: 'Where the person comes back to.', example: 'https://example.com/billing' });

export const checkoutBody = z
  .strictObject({
    plan,
    interval: interval.default('month'),
    provider: provider.optional(),
    renews: z.boolean().default(true).meta({
      description: 'False pays one period and no more (a Razorpay payment link).',
      example: true,
    }),
    return_url: returnUrl,
  })
  .meta({ id: 'Checkout', description: 'Which plan to pay for, and how.' });

export const checkoutView = z
  .object({
    url: z.string().meta({
      description: 'Page of the provider to pay on.',
      example: 'https://checkout.stripe.com/c/pay/cs_1',
    }),
    provider,
    razorpay: z
      .object({
        key_id: z.string().meta({ description: '`key` of checkout.js.', example: 'rzp_live_1' }),
        subscription_id: z.string().nullable().meta({
          description: '`subscription_id` of checkout.js; null for a payment link.',
          example: 'sub_1',
        }),
        payment_link_id: z.string().nullable().meta({
          description: 'Id of the payment link where `renews` is false, which is paid at `url` alone.',
          example: null,
        }),
      })
      .nullable()
      .meta({ description: "What Razorpay's checkout.js wants, to pay in your own page instead." }),
  })
  .meta({ id: 'CheckoutStarted', description: 'Where the person pays.' });

export const proofBody = z
  .strictObject({
    razorpay_payment_id: z.string().max(100).meta({ description: 'As handed over.', example: 'pay_1' }),
    razorpay_subscription_id: z
      .string()
      .max(100)
      .optional()
      .meta({ description: 'As handed over.', example: 'sub_1' }),
    razorpay_payment_link_id: z
      .string()
      .max(100)
      .optional()
      .meta({ description: 'As handed over.', example: 'plink_1' }),
    razorpay_payment_link_reference_id: z
      .string()
      .max(100)
      .optional()
      .meta({ description: 'As handed over.', example: '' }),
    razorpay_payment_link_status: z
      .string()
      .max(40)
      .optional()
      .meta({ description: 'As handed over.', example: 'paid' }),
    razorpay_signature: z
      .string()
      .max(200)
      .meta({ description: 'As handed over.', example: 'b4898385536104b5' }),
  })
  .refine(
    (body) => body.razorpay_subscription_id !== undefined || body.razorpay_payment_link_id !== undefined,
    {
      message: 'needs razorpay_subscription_id or razorpay_payment_link_id',
    },
  )
  .meta({
    id: 'PaymentProof',
    description: "What Razorpay's checkout or payment link hands over, unchanged.",
  });

export const changeBody = z
  .strictObject({ plan, interval: interval.default('month') })
  .meta({ id: 'PlanChange', description: 'The plan to change to.' });

export const cancelBody = z
  .strictObject({
    at: z.enum(['period_end', 'now']).default('period_end').meta({
      description: '`period_end`: what is paid is used first. `now`: it ends at once.',
      example: 'period_end',
    }),
  })
  .default({ at: 'period_end' })
  .meta({ id: 'Cancellation', description: 'When it ends.' });

export const portalBody = z
  .strictObject({ return_url: returnUrl })
  .default({})
  .meta({ id: 'Portal', description: 'Where the person comes back to.' });

export const portalView = z
  .object({
    url: z
      .string()
      .meta({ description: 'Open it soon: it is short-lived.', example: 'https://billing.stripe.com/p/1' }),
  })
  .meta({ id: 'PortalOpened', description: 'Page of the provider where the card is changed.' });

export const invoiceQuery = z.strictObject(pageQuery('invoice'));

const dispute = z
  .object({
    status: z.enum(DISPUTE_STATUSES).meta({
      description:
        '`open`: the bank waits for an answer. `under_review`: it has one. `won`: the payment stands. `lost`: the money went back to the payer. `closed`: dropped, the payment stands.',
      example: 'under_review',
    }),
    amount,
    reason: z.string().nullable().meta({ description: "The provider's word for it.", example: 'fraudulent' }),
    opened_at: timeField('When the bank raised it.'),
  })
  .meta({ description: 'The last dispute of the payment. It does not end the plan.' });

export const invoiceView = z
  .object({
    id: idField('invoice', 'Id of the invoice.'),
    number: z.string().meta({ description: 'Number that the provider gave it.', example: 'INV-0001' }),
    status: z
      .enum(['open', 'paid', 'void', 'failed'])
      .meta({ description: 'State of the payment. A refund leaves it as it is.', example: 'paid' }),
    amount,
    amount_refunded: z
      .number()
      .int()
      .meta({ description: 'Refunded in all, in minor units. It falls where a refund fails.', example: 0 }),
    refund_status: z
      .enum(['partial', 'full'])
      .nullable()
      .meta({ description: 'How much of the payment was refunded; null for nothing.', example: null }),
    dispute: dispute.nullable(),
    currency,
    plan: plan.nullable(),
    provider,
    provider_invoice_id: z.string().meta({ description: 'Id at the provider.', example: 'in_1' }),
    period_start: timeField('Start of the period that it is for.').nullable(),
    period_end: timeField('End of that period.').nullable(),
    issued_at: timeField('When it was written.'),
    paid_at: timeField('When it was paid.').nullable(),
    url: z.string().nullable().meta({ description: 'The invoice at the provider.', example: null }),
  })
  .meta({ id: 'Invoice', description: 'An invoice, and its receipt once it is paid.' });

export type InvoiceView = z.input<typeof invoiceView>;

export const invoicePage = pageOf(invoiceView, 'InvoicePage');
