import { expect, it } from 'vitest';
import { formatMoney } from '../../src/lib/money.ts';

it.each([
  [149_900, 'INR', '₹1,499.00'],
  [14_999_000, 'INR', '₹1,49,990.00'],
  [4_900, 'USD', '$49.00'],
  [5, 'USD', '$0.05'],
])('%i minor units of %s are %s', (amount, currency, text) => {
  expect(formatMoney({ amount, currency })).toBe(text);
});
