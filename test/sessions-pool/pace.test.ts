import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Pacing } from '../../src/features/sessions/sessions.service.ts';
import { fairShare } from '../../src/sessions-pool/fair-share.ts';
import { type PaceState, paceNext } from '../../src/sessions-pool/pace.ts';

const DAY_MS = 86_400_000;
const now = new Date('2026-11-21T09:00:00Z');
const ago = (ms: number) => new Date(now.getTime() - ms);
const pacing = fc.record<Pacing>({
  interval_ms: fc.nat(60_000),
  jitter_ms: fc.nat(10_000),
  typing: fc.boolean(),
  warm_up_days: fc.nat(30),
});
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

/** Until the message goes out, of a session that shows no "typing…". */
function paceDelay(policy: Pacing, state: PaceState, at: Date, r: () => number): number {
  const pace = paceNext({ ...policy, typing: false }, { ...state, length: 10 }, at, r);
  expect(pace.typeIn).toBe(pace.sendIn);
  return pace.sendIn;
}

describe('pacing', () => {
  it('lets the first message go at once', () => {
    fc.assert(
      fc.property(pacing, random, (policy, r) => {
        expect(paceDelay(policy, { lastSentAt: undefined, linkedAt: now }, now, () => r)).toBe(0);
      }),
    );
  });

  it('keeps the interval, and at most its jitter more, once the number is warm', () => {
    fc.assert(
      fc.property(pacing, random, fc.nat(100_000), (policy, r, since) => {
        const delay = paceDelay(policy, { lastSentAt: ago(since), linkedAt: ago(31 * DAY_MS) }, now, () => r);
        expect(delay + since).toBeGreaterThanOrEqual(Math.min(policy.interval_ms, delay + since + 1));
        expect(delay).toBeGreaterThanOrEqual(Math.max(0, policy.interval_ms - since));
        expect(delay).toBeLessThanOrEqual(Math.max(0, policy.interval_ms + policy.jitter_ms - since) + 1);
      }),
    );
  });

  it('warms a new number up from a fifth of its rate, steadily', () => {
    const policy: Pacing = { interval_ms: 1_000, jitter_ms: 0, typing: false, warm_up_days: 10 };
    const gapAfterDays = (days: number) =>
      paceDelay(policy, { lastSentAt: now, linkedAt: ago(days * DAY_MS) }, now, () => 0);
    expect([0, 2.5, 5, 10, 100].map(gapAfterDays)).toEqual([5_000, 4_000, 3_000, 1_000, 1_000]);
  });

  it('warms nothing up where that is turned off, or the number is not linked', () => {
    const policy: Pacing = { interval_ms: 1_000, jitter_ms: 0, typing: false, warm_up_days: 0 };
    expect(paceDelay(policy, { lastSentAt: now, linkedAt: now }, now, () => 0)).toBe(1_000);
    expect(paceDelay({ ...policy, warm_up_days: 7 }, { lastSentAt: now, linkedAt: null }, now, () => 0)).toBe(
      1_000,
    );
  });

  it('is never slower for a number that has been linked longer', () => {
    fc.assert(
      fc.property(pacing, random, fc.nat(40), fc.nat(40), (policy, r, a, b) => {
        const gap = (days: number) =>
          paceDelay(policy, { lastSentAt: now, linkedAt: ago(days * DAY_MS) }, now, () => r);
        expect(gap(Math.max(a, b))).toBeLessThanOrEqual(gap(Math.min(a, b)));
      }),
    );
  });

  it('is off in test mode', () => {
    const policy: Pacing = { interval_ms: 0, jitter_ms: 0, typing: false, warm_up_days: 0 };
    expect(paceDelay(policy, { lastSentAt: now, linkedAt: now }, now, () => 0.9)).toBe(0);
  });
});

describe('typing', () => {
  const warm = { linkedAt: ago(31 * DAY_MS) };
  const typing = ({ typeIn, sendIn }: { typeIn: number; sendIn: number }) => sendIn - typeIn;

  it('shows for longer where the text is longer, from half a second to twelve', () => {
    const policy: Pacing = { interval_ms: 600_000, jitter_ms: 0, typing: true, warm_up_days: 0 };
    const shown = (length: number) =>
      typing(paceNext(policy, { lastSentAt: undefined, linkedAt: null, length }, now, () => 0.5));
    expect([1, 20, 60, 4_096].map(shown)).toEqual([500, 1_600, 4_800, 12_000]);
  });

  it('never shows for longer than the interval and its jitter', () => {
    fc.assert(
      fc.property(pacing, random, fc.nat(4_096), fc.nat(100_000), (policy, r, length, since) => {
        const state = { lastSentAt: ago(since), ...warm, length };
        const shown = typing(paceNext({ ...policy, typing: true }, state, now, () => r));
        expect(shown).toBeLessThanOrEqual(policy.interval_ms + policy.jitter_ms + 1);
        expect(shown).toBeGreaterThanOrEqual(Math.min(500, policy.interval_ms) - 1);
      }),
    );
  });

  it('takes none of the rate: right after a message the next one goes out when it would without', () => {
    fc.assert(
      fc.property(pacing, random, fc.nat(4_096), fc.nat(40), (policy, r, length, days) => {
        const state = { lastSentAt: now, linkedAt: ago(days * DAY_MS), length };
        const send = (shows: boolean) => paceNext({ ...policy, typing: shows }, state, now, () => r).sendIn;
        expect(send(true)).toBe(send(false));
      }),
    );
  });
});

describe('fair shares', () => {
  it('have room for every session, and for fewer than one a worker too many', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fc.nat(10_000), (workers, sessions) => {
        const share = fairShare(workers, sessions);
        expect(share * workers).toBeGreaterThanOrEqual(sessions);
        expect(share * workers).toBeLessThan(sessions + workers);
      }),
    );
  });

  it('leave nothing to a mode without workers but everything to the first', () => {
    expect(fairShare(0, 7)).toBe(7);
    expect(fairShare(3, 0)).toBe(0);
  });
});
