/** An amount in the minor unit of its currency (paise, cents), which is always whole. */
export interface Money {
  amount: number;
  /** ISO 4217. */
  currency: string;
}

/** As people read it: `{ amount: 149900, currency: 'INR' }` → `₹1,499.00`. */
export function formatMoney({ amount, currency }: Money): string {
  const format = new Intl.NumberFormat(currency === 'INR' ? 'en-IN' : 'en-US', {
    style: 'currency',
    currency,
  });
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
  return format.format(amount / 10 ** digits);
}
