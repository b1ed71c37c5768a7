import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePhone } from '../../src/lib/phone.ts';

describe('a phone number', () => {
  it.each([
    ['+919876543210', '919876543210'],
    ['919876543210', '919876543210'],
    ['00919876543210', '919876543210'],
    ['+91 98765 43210', '919876543210'],
    ['+91-98765-43210', '919876543210'],
    ['+91.98765.43210', '919876543210'],
    ['  +91 (98765) 43210  ', '919876543210'],
    ['+1 (415) 555-0100', '14155550100'],
    ['+44 (0)7911 123456', '447911123456'],
    ['+49 30 901820', '4930901820'],
    ['+65 6123 4567', '6561234567'],
  ])('%s is read as %s', (text, digits) => {
    expect(parsePhone(text)).toEqual({ ok: true, digits });
  });

  it.each([
    ['+52 55 1234 5678', '525512345678'],
    ['+54 11 2345 6789', '541123456789'],
    ['+54 9 11 2345 6789', '5491123456789'],
    ['+55 11 91234 5678', '5511912345678'],
    ['+55 11 8123 4567', '551181234567'],
  ])('%s, a mobile number with quirks, is kept as dialled: %s', (text, digits) => {
    expect(parsePhone(text)).toEqual({ ok: true, digits });
  });

  it('of Mexico may carry the 1 that mobiles had until 2019, under which WhatsApp still knows many', () => {
    expect(parsePhone('+52 1 55 1234 5678')).toEqual({ ok: true, digits: '5215512345678' });
    expect(parsePhone('+52 1 55 1234 56789')).toMatchObject({ ok: false });
  });

  it.each([
    ['', 'may hold digits, spaces, dashes and a leading + only'],
    ['hello', 'may hold digits, spaces, dashes and a leading + only'],
    ['98765x43210', 'may hold digits, spaces, dashes and a leading + only'],
    ['+91+9876543210', 'may hold digits, spaces, dashes and a leading + only'],
    ['919876543210@s.whatsapp.net', 'may hold digits, spaces, dashes and a leading + only'],
    ['+', 'may hold digits, spaces, dashes and a leading + only'],
    ['+919', 'is too short for its country'],
    ['+9198765', 'has a length that does not exist in its country'],
    ['+14155550100123', 'has a length that does not exist in its country'],
    ['+9198765432109876543210', 'is too long'],
    ['+999123456789', 'has no known country code'],
    ['+0123456789', 'has no known country code'],
    ['09876543210', 'has no known country code'],
  ])('%s cannot exist: it %s', (text, reason) => {
    expect(parsePhone(text)).toEqual({ ok: false, reason });
  });

  it('comes out the same when read again, and never throws', () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^(\+|00)?[0-9 ().-]{0,20}$/));
    fc.assert(
      fc.property(text, (input) => {
        const parsed = parsePhone(input);
        if (parsed.ok) expect(parsePhone(parsed.digits)).toEqual(parsed);
        else expect(parsed.reason).not.toBe('');
      }),
      { numRuns: 500 },
    );
  });
});
