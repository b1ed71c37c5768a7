import { z } from 'zod';
import type { KeptContent } from './retention.store.ts';

/** The longest that contents can be kept, in days. */
const MOST_DAYS = 3_650;

export const retentionView = z
  .object({
    content: z.enum(['none', 'days']).meta({
      description:
        '`none`: what a message says is dropped once it is delivered or has failed, or, for a received one, was handed to your webhooks. `days`: it is kept, encrypted, for `content_days`.',
      example: 'days',
    }),
    content_days: z
      .number()
      .int()
      .nullable()
      .meta({ description: 'Days for which contents are kept; null with `none`.', example: 90 }),
    record_days: z.number().int().meta({
      description:
        'Days for which messages without their content (numbers, times, statuses) and events are kept: 90, or `content_days` where that is longer. They go by whole weeks, so up to seven days later.',
      example: 90,
    }),
    shortens: z
      .object({
        at: z.iso.datetime().meta({
          description: 'From when older contents are dropped.',
          example: '2026-12-21T10:00:00.000Z',
        }),
        content_days: z
          .number()
          .int()
          .meta({ description: 'Days for which they are kept then.', example: 30 }),
      })
      .nullable()
      .meta({
        description:
          'For 30 days after a change to a plan that keeps contents for less time: what comes then. Null otherwise.',
        example: null,
      }),
  })
  .meta({ id: 'Retention', description: 'How long what the account sends and receives is kept.' });

export const retentionBody = z
  .discriminatedUnion('content', [
    z.strictObject({ content: z.literal('none').meta({ description: 'No contents are kept.' }) }),
    z.strictObject({
      content: z.literal('days').meta({ description: 'Contents are kept for some days.' }),
      content_days: z
        .number()
        .int()
        .min(1)
        .max(MOST_DAYS)
        .meta({ description: 'Days for which contents are kept.', example: 30 }),
    }),
  ])
  .meta({ id: 'RetentionUpdate', description: 'Either `none`, or `days` with a number of days.' });

/** Messages and events are kept at least so long. */
const RECORD_DAYS = 90;

/** The setting as the API shows it. */
export function showRetention(kept: KeptContent): z.infer<typeof retentionView> {
  const { days, shortens_at: at, shortens_to: to } = kept;
  return {
    content: days === 0 ? 'none' : 'days',
    content_days: days === 0 ? null : days,
    record_days: Math.max(RECORD_DAYS, days),
    shortens: at && to !== null ? { at: at.toISOString(), content_days: to } : null,
  };
}
