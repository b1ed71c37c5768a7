import { validateHeaderName, validateHeaderValue } from 'node:http';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  headerProblems,
  isMasked,
  maskValue,
  unmasked,
} from '../../../src/features/webhooks/custom-headers.ts';

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('a\r\nb: c', ' x', 'x\t', ''),
);
const name = fc.oneof(
  fc.string(),
  fc.constantFrom('X-Team', 'x-team', 'Host', '__proto__', 'Webhook-Id', 'a b'),
);
const headers = fc.dictionary(name, text, { maxKeys: 25 });

describe('headers of a customer', () => {
  it('that are taken can be sent, and override nothing of ours', () => {
    fc.assert(
      fc.property(headers, (wanted) => {
        if (headerProblems(wanted).length > 0) return;
        for (const [key, value] of Object.entries(wanted)) {
          validateHeaderName(key);
          validateHeaderValue(key, value);
          expect(key).not.toMatch(/^(webhook-|x-pingr-|proxy-|host$|content-(type|length)$|user-agent$)/i);
          expect(value).not.toMatch(/[\r\n\0]/);
        }
        expect(new Set(Object.keys(wanted).map((key) => key.toLowerCase())).size).toBe(
          Object.keys(wanted).length,
        );
      }),
      { numRuns: 2_000 },
    );
  });

  it('show at most their last four characters', () => {
    expect(maskValue('Bearer 0123456789abcdef')).toBe('****cdef');
    expect(maskValue('fifteen letters')).toBe('****');
    fc.assert(
      fc.property(text, (value) => {
        const shown = maskValue(value);
        expect(isMasked(shown)).toBe(true);
        expect(shown.length).toBeLessThanOrEqual(8);
      }),
    );
  });

  it('come back as they were when they are sent back as shown', () => {
    const value = fc.string({ minLength: 1 }).filter((one) => !isMasked(one));
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), value), (stored) => {
        const shown = Object.entries(stored).map(([key, one]) => [key.toUpperCase(), maskValue(one)]);
        const back = Object.entries(stored).map(([key, one]) => [key.toUpperCase(), one]);
        expect(unmasked(Object.fromEntries(shown), stored)).toEqual(Object.fromEntries(back));
      }),
    );
  });
});
