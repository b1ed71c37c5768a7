import { defineErrors } from '../../lib/errors.ts';

export const usageErrors = defineErrors({
  rangeInvalid: {
    code: 'usage.range_invalid',
    status: 422,
    title: 'The range of time cannot be counted',
    remedy: 'Ask for a shorter range, or for larger buckets; the detail says what is wrong.',
  },
});
