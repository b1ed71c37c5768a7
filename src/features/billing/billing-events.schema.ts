import { z } from 'zod';
import { timeField } from '../../platform/http/api-fields.ts';
import { invoiceView, subscriptionView } from './billing.schema.ts';

/** The `data` of `invoice.*`. */
export const invoiceData = invoiceView
  .partial()
  .required({ id: true, number: true, amount: true, currency: true, plan: true })
  .extend({
    refund_amount: z
      .number()
      .int()
      .optional()
      .meta({ description: 'What went back this time, or came back, in minor units.', example: 1_000 }),
  })
  .loose()
  .meta({
    id: 'InvoiceChange',
    description:
      'An invoice that was paid, refunded or disputed: the `data` of `invoice.*`. Refunds and dispute are as they were then. `refund_amount` is there with `invoice.refunded` and `invoice.refund_failed`. Of an invoice that is gone, what is not required may be missing.',
  });

const { plan, status } = subscriptionView.shape;

/** The `data` of `subscription.changed`. */
export const subscriptionChangeData = z
  .looseObject({
    plan,
    status,
    until: timeField('When time alone changes it; null where only news does.').nullable(),
    previous_plan: z.string().meta({ description: 'Plan until then.', example: 'trial' }),
  })
  .meta({
    id: 'SubscriptionChange',
    description:
      'What the account has from then on: the `data` of `subscription.changed`. Payment and use, which go on changing, are at `GET /v1/billing/subscription`.',
  });

/** The `data` of `quota.*`. */
export const quotaData = z
  .looseObject({
    unit: z.string().meta({ description: 'What is counted: `messages`.', example: 'messages' }),
    limit: z.number().int().meta({ description: 'What the plan holds for the period.', example: 10_000 }),
    used: z.number().int().meta({ description: 'What was used of it then.', example: 8_000 }),
    period_start: timeField('When counting began.'),
    period_end: timeField('When it begins anew.'),
  })
  .meta({ id: 'QuotaUse', description: 'How much of a quota is used: the `data` of `quota.*`.' });
