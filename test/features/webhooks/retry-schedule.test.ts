import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeAnswer, judgeFailure } from '../../../src/features/webhooks/judge-answer.ts';
import { RETRY_DELAYS_MS, restAskedFor, retryDelay } from '../../../src/features/webhooks/retry-schedule.ts';
import {
  afterFailure,
  afterSuccess,
  NEW_WINDOW,
  roomFor,
  withNothingAhead,
} from '../../../src/features/webhooks/send-window.ts';
import { OutboundError } from '../../../src/platform/net/outbound-http.ts';

const HOUR = 3_600_000;
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('the retry schedule', () => {
  it('tries eleven times over about 28 hours', () => {
    const total = RETRY_DELAYS_MS.reduce((sum, ms) => sum + ms, 0);
    expect(RETRY_DELAYS_MS).toHaveLength(10);
    expect(total / HOUR).toBeGreaterThan(27);
    expect(total / HOUR).toBeLessThan(28.5);
    expect(retryDelay(11, RETRY_DELAYS_MS, Math.random)).toBeUndefined();
  });

  it('keeps within a tenth of the planned pause, and waits longer each time', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10 }), random, random, (failed, one, other) => {
        const delay = retryDelay(failed, RETRY_DELAYS_MS, () => one) ?? Number.NaN;
        const planned = RETRY_DELAYS_MS[failed - 1] ?? Number.NaN;
        expect(Math.abs(delay - planned)).toBeLessThanOrEqual(planned * 0.1 + 1);
        const next = retryDelay(failed + 1, RETRY_DELAYS_MS, () => other);
        expect(next ?? Number.POSITIVE_INFINITY).toBeGreaterThan(delay);
      }),
    );
  });
});

describe('Retry-After', () => {
  const now = new Date('2026-11-21T12:00:00.000Z');

  it('is seconds or a date, 12 hours at most, and never negative', () => {
    expect(restAskedFor('120', now)).toBe(120_000);
    expect(restAskedFor(' 0 ', now)).toBe(0);
    expect(restAskedFor('Sat, 21 Nov 2026 12:05:00 GMT', now)).toBe(300_000);
    expect(restAskedFor('Sat, 21 Nov 2026 11:05:00 GMT', now)).toBe(0);
    expect(restAskedFor('9'.repeat(40), now)).toBe(12 * HOUR);
    expect(restAskedFor('Sat, 21 Nov 2099 12:05:00 GMT', now)).toBe(12 * HOUR);
    for (const nothing of [undefined, '', 'soon', '-5', '1.5', '2026-11-21', '5 minutes']) {
      expect(restAskedFor(nothing, now)).toBeUndefined();
    }
  });

  it('is bounded whatever a receiver writes', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.date({ noInvalidDate: true }).map((at) => at.toUTCString()),
        ),
        (text) => {
          const rest = restAskedFor(text, now);
          if (rest === undefined) return;
          expect(rest).toBeGreaterThanOrEqual(0);
          expect(rest).toBeLessThanOrEqual(12 * HOUR);
        },
      ),
    );
  });
});

describe('an answer', () => {
  const now = new Date();

  it('is a success with 2xx alone', () => {
    fc.assert(
      fc.property(fc.integer({ min: 200, max: 599 }), (status) => {
        const { outcome, error } = judgeAnswer({ status, headers: {} }, now);
        expect(outcome).toBe(status < 300 ? 'succeeded' : 'failed');
        expect(error).toBe(status < 300 ? null : 'status');
      }),
    );
  });

  it('asks for rest with 429 and 503 only', () => {
    const headers = { 'retry-after': '7' };
    expect(judgeAnswer({ status: 429, headers }, now).restMs).toBe(7_000);
    expect(judgeAnswer({ status: 503, headers }, now).restMs).toBe(7_000);
    expect(judgeAnswer({ status: 500, headers }, now).restMs).toBeNull();
    expect(judgeAnswer({ status: 410, headers }, now)).toMatchObject({ gone: true, restMs: null });
  });

  it('that did not come is a failure with its reason, unless we gave it up ourselves', () => {
    expect(judgeFailure(new OutboundError('timeout', ''))).toMatchObject({
      outcome: 'failed',
      error: 'timeout',
    });
    expect(judgeFailure(new OutboundError('aborted', ''))).toMatchObject({
      outcome: 'interrupted',
      error: null,
    });
    expect(judgeFailure(new Error('bug'))).toMatchObject({ outcome: 'failed', error: 'internal' });
  });
});

describe('the number of requests at once', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('success' as const), ms: fc.double({ min: 0, max: 10_000, noNaN: true }) }),
    fc.record({ kind: fc.constantFrom('failure' as const, 'stale' as const) }),
  );

  it('begins with one, grows with success to the most allowed, and falls to one', () => {
    fc.assert(
      fc.property(fc.array(step), fc.nat(50), fc.nat(300), (steps, inFlight, ready) => {
        let window = NEW_WINDOW;
        expect(roomFor(window, 0, 0)).toBe(1);
        for (const taken of steps) {
          const { limit } = window;
          if (taken.kind === 'success') window = afterSuccess(window, taken.ms, 20);
          else window = taken.kind === 'failure' ? afterFailure(window) : withNothingAhead(window);
          if (taken.kind === 'success') expect(window.limit).toBe(Math.min(limit + 1, 20));
          if (taken.kind === 'failure') expect(window.limit).toBe(1);
        }
        const room = roomFor(window, inFlight, ready);
        expect(room).toBeGreaterThanOrEqual(0);
        expect(Number.isInteger(room)).toBe(true);
        if (room > 0) expect(inFlight + ready + room).toBeLessThanOrEqual(window.limit + 180);
      }),
    );
  });
});
