import ipaddr from 'ipaddr.js';

/** Bits that name a provider's network rather than a machine in it. */
const PREFIX = { ipv4: 16, ipv6: 32 } as const;

/** Ranges that are the same everywhere. */
const NOWHERE = new Set([
  'unspecified',
  'loopback',
  'private',
  'linkLocal',
  'uniqueLocal',
  'carrierGradeNat',
  'multicast',
  'broadcast',
]);

/**
 * The wider network of an address: /16 of IPv4, /32 of IPv6. No database of providers is asked: none comes with the
 * program, and nothing is fetched.
 * @returns in CIDR form; `undefined` for private, local and malformed addresses, which say nothing of where somebody is
 */
export function networkOf(ip: string): string | undefined {
  if (!ipaddr.isValid(ip)) return undefined;
  const address = ipaddr.process(ip);
  if (NOWHERE.has(address.range())) return undefined;
  const kind = address.kind();
  const family = kind === 'ipv4' ? ipaddr.IPv4 : ipaddr.IPv6;
  return `${family.networkAddressFromCIDR(`${address.toString()}/${PREFIX[kind]}`).toString()}/${PREFIX[kind]}`;
}
