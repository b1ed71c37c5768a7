import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressKind } from '../../../src/platform/net/public-address.ts';

const PUBLIC = [
  '8.8.8.8',
  '1.1.1.1',
  '172.15.255.255',
  '172.32.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '2606:4700::1111',
];
const LOOPBACK = ['127.0.0.1', '127.255.255.254', '::1', '::ffff:127.0.0.1', '::ffff:7f00:1'];
/** One or more of every special range of RFC 6890 and its updates, and of what clouds answer on. */
const PRIVATE = [
  ...['0.0.0.0', '0.1.2.3', '10.0.0.1', '100.64.0.1', '100.100.100.200', '169.254.169.254', '172.16.0.1'],
  ...['172.31.255.255', '192.0.0.1', '192.0.0.192', '192.0.2.1', '192.88.99.1', '192.168.1.1', '198.18.0.1'],
  ...['198.19.255.255', '198.51.100.1', '203.0.113.1', '224.0.0.1', '239.255.255.255', '240.0.0.1'],
  ...['255.255.255.255', '168.63.129.16'],
  ...[
    '::',
    '::7f00:1',
    '::a00:1',
    '::ffff:10.0.0.1',
    '::ffff:169.254.169.254',
    '::ffff:0:7f00:1',
    '64:ff9b::7f00:1',
  ],
  ...['64:ff9b::808:808', '64:ff9b:1::1', '100::1', '2001::1', '2001:2::1', '2001:10::1', '2001:db8::1'],
  ...[
    '2002:7f00:1::',
    '3fff::1',
    '5f00::1',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
  ],
  ...['ff02::1', '4000::1', 'e000::1', 'localhost', '', '1.2.3', '::g'],
];

describe('an address', () => {
  it.each(PUBLIC)('%s is public', (address) => expect(addressKind(address)).toBe('public'));
  it.each(LOOPBACK)('%s is loopback', (address) => expect(addressKind(address)).toBe('loopback'));
  it.each(PRIVATE)('%s is neither', (address) => expect(addressKind(address)).toBe('private'));

  it('inside IPv6 counts as the IPv4 address that it is', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        expect(addressKind(`::ffff:${address}`)).toBe(addressKind(address));
      }),
    );
  });

  it('in IPv6 is public in 2000::/3 at most', () => {
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        const first = address.startsWith(':') ? 0 : Number.parseInt(address, 16);
        if (addressKind(address) === 'public' && !/ffff:/i.test(address)) {
          expect(first >> 13).toBe(1);
        }
      }),
    );
  });
});
