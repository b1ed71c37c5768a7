import { describe, expect, it } from 'vitest';
import { describeUrlRefusal, outboundError } from '../../../src/platform/net/outbound-error.ts';

describe('an address that is refused', () => {
  it.each([
    ['invalid_url', 'is not a URL that can be called; credentials in it are not taken either'],
    ['https_required', 'must begin with https://'],
    ['blocked_address', 'leads to an address that is not public'],
    ['dns', 'cannot be called (dns)'],
  ] as const)('for %s is described to whom it belongs', (reason, words) => {
    expect(describeUrlRefusal(outboundError(reason))).toBe(words);
  });
});
