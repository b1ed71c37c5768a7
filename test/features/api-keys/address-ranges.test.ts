import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  inRanges,
  parseAddressRange,
  rangesBeyond,
  readRanges,
} from '../../../src/features/api-keys/address-ranges.ts';

describe('an address range', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7/32'],
    [' 203.0.113.0/24 ', '203.0.113.0/24'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['2001:db8::/32', '2001:db8::/32'],
    ['2001:DB8:0::1', '2001:db8::1/128'],
    ['::ffff:203.0.113.7', '203.0.113.7/32'],
  ])('%s is %s', (text, cidr) => {
    expect(parseAddressRange(text)).toEqual({ ok: true, cidr });
  });

  it.each([
    '',
    'localhost',
    '203.0.113',
    '1',
    '0x7f.1',
    '203.0.113.7/33',
    '203.0.113.7/',
    '203.0.113.0/a',
    '10.0.0.0/8/8',
    '203.0.113.7/24',
    '2001:db8::1/32',
    '203.0.113.0/-1',
  ])('%j is none, and says why', (text) => {
    expect(parseAddressRange(text)).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/^(is|needs|has) /),
    });
  });

  it('holds the addresses whose first bits are its own', () => {
    const address = fc.array(fc.nat(255), { minLength: 4, maxLength: 4 });
    const number = (parts: number[]) => parts.reduce((sum, part) => sum * 256 + part, 0);
    fc.assert(
      fc.property(address, address, fc.integer({ min: 0, max: 32 }), (network, other, bits) => {
        const block = 2 ** (32 - bits);
        const start = Math.floor(number(network) / block) * block;
        const dotted = [24, 16, 8, 0].map((shift) => Math.floor(start / 2 ** shift) % 256).join('.');
        const parsed = parseAddressRange(`${dotted}/${bits}`);
        const ranges = parsed.ok ? readRanges([parsed.cidr]) : [];
        const expected = Math.floor(number(other) / block) * block === start;
        expect(inRanges(other.join('.'), ranges)).toBe(expected);
        expect(inRanges(`::ffff:${other.join('.')}`, ranges)).toBe(expected);
        expect(inRanges('2001:db8::1', ranges)).toBe(false);
      }),
    );
  });

  it('holds another where it holds all of its addresses', () => {
    const held = ['10.0.0.0/8', '2001:db8::/32'];
    const inside = ['10.0.0.0/8', '10.1.2.0/24', '10.255.255.255/32', '2001:db8:1::/48'];
    const beyond = ['0.0.0.0/0', '10.0.0.0/7', '11.0.0.0/8', '2001::/16', '::/0', '2001:db9::/32'];
    expect(rangesBeyond(held, [...inside, ...beyond])).toEqual(beyond);
    expect(rangesBeyond(held, inside)).toEqual([]);
  });

  it('holds nothing that is no address', () => {
    expect(inRanges('unknown', readRanges(['0.0.0.0/0']))).toBe(false);
  });
});
