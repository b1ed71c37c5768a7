import fc from 'fast-check';
import { expect, test } from 'vitest';
import { describeRefusal } from '../../src/whatsapp/send-failures.ts';

test.each([
  [421, 'message.stale_addressing', true],
  [429, 'message.rate_limited', true],
  [463, 'message.account_restricted', false],
  [475, 'message.new_chats_capped', false],
  [479, 'message.stale_session', true],
  [487, 'message.not_understood', false],
  [503, 'message.whatsapp_unavailable', true],
])('%i → %s, retried: %s', (wireCode, code, retry) => {
  expect(describeRefusal(wireCode)).toMatchObject({ code, retry });
});

test('every refusal has a stable code, a sentence and a remedy, and unknown ones are final', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 9999 }), (wireCode) => {
      const { code, detail, remedy, retry } = describeRefusal(wireCode);
      expect(code).toMatch(/^message\.[a-z_]+$/);
      expect(detail).toMatch(/^[A-Z].*\.$/);
      expect(remedy).toMatch(/^[A-Z].*\.$/);
      if (code === 'message.refused')
        expect([retry, detail.includes(String(wireCode))]).toEqual([false, true]);
    }),
  );
});
