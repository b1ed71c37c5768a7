import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffDelay } from '../../src/lib/backoff.ts';

describe('back-off', () => {
  const backoff = fc
    .record({ baseMs: fc.integer({ min: 1, max: 10_000 }), more: fc.nat(1_000_000) })
    .map(({ baseMs, more }) => ({ baseMs, maxMs: baseMs + more }));
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

  it('lies in the upper half of a bound that doubles up to the most', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), backoff, random, (attempt, { baseMs, maxMs }, r) => {
        const bound = Math.min(maxMs, baseMs * 2 ** (attempt - 1));
        const delay = backoffDelay(attempt, { baseMs, maxMs }, () => r);
        expect(delay).toBeGreaterThanOrEqual(Math.floor(bound / 2));
        expect(delay).toBeLessThanOrEqual(Math.ceil(bound));
      }),
    );
  });

  it('doubles, and then stays', () => {
    const delays = [1, 2, 3, 4, 5, 60].map((attempt) =>
      backoffDelay(attempt, { baseMs: 100, maxMs: 1_000 }, () => 0),
    );
    expect(delays).toEqual([50, 100, 200, 400, 500, 500]);
  });
});
