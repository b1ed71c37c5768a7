import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Whom an address may belong to: anybody on the internet, this machine, or a network that is nobody else's business. */
export type AddressKind = 'public' | 'loopback' | 'private';

/** All of IPv6 that is given out; of the rest, `::/96` alone reaches this machine in an old spelling. */
const GLOBAL_UNICAST = ipaddr.parseCIDR('2000::/3');
/** Addresses in public ranges that clouds answer from inside: Azure's host agent. */
const INSIDE = new Set(['168.63.129.16']);

/**
 * Looks up an IP address in the registries of special addresses (IANA's, as ipaddr.js has them). IPv4 addresses inside
 * IPv6 ones count as themselves; NAT64, 6to4 and Teredo, which could reach any IPv4 address, count as private.
 */
export function addressKind(text: string): AddressKind {
  // ipaddr.js alone would also take the short forms of IPv4.
  if (isIP(text) === 0) return 'private';
  const address = ipaddr.process(hexadecimal(text));
  const range = address.range();
  if (range === 'loopback') return 'loopback';
  if (range !== 'unicast' || INSIDE.has(address.toString())) return 'private';
  if (address instanceof ipaddr.IPv6 && !address.match(GLOBAL_UNICAST)) return 'private';
  return 'public';
}

/** Spells `::a.b.c.d` as `::ab:cd`: ipaddr.js takes the first for the IPv4 address, which it is not. */
function hexadecimal(text: string): string {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)(%.*)?$/.exec(text);
  if (dotted === null) return text;
  const [a = 0, b = 0, c = 0, d = 0] = dotted.slice(2, 6).map(Number);
  return `${dotted[1]}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}
