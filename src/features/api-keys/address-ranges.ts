import ipaddr from 'ipaddr.js';

type Range = ReturnType<typeof ipaddr.parseCIDR>;

/**
 * Reads an address or a network in CIDR form, IPv4 or IPv6.
 * @returns it in canonical CIDR form (`203.0.113.7/32`), or why it is none
 */
export function parseAddressRange(text: string): { ok: true; cidr: string } | { ok: false; reason: string } {
  const [address = '', bits, ...rest] = text.trim().split('/');
  if (!ipaddr.IPv4.isValidFourPartDecimal(address) && !ipaddr.IPv6.isValid(address)) {
    return { ok: false, reason: 'is not an IP address or network such as 203.0.113.0/24' };
  }
  const parsed = ipaddr.process(address);
  const most = parsed.kind() === 'ipv4' ? 32 : 128;
  const length = bits ?? String(most);
  if (rest.length > 0 || !/^\d{1,3}$/.test(length) || Number(length) > most) {
    return { ok: false, reason: `needs a prefix length from 0 to ${most} after the slash` };
  }
  const cidr = `${parsed.toString()}/${Number(length)}`;
  const family = parsed.kind() === 'ipv4' ? ipaddr.IPv4 : ipaddr.IPv6;
  if (family.networkAddressFromCIDR(cidr).toString() !== parsed.toString()) {
    return { ok: false, reason: 'has bits set beyond its prefix length' };
  }
  return { ok: true, cidr };
}

/** Reads ranges that were stored in canonical form. */
export function readRanges(cidrs: readonly string[]): Range[] {
  return cidrs.map((cidr) => ipaddr.parseCIDR(cidr));
}

/** Those of `wanted` that no single one of the ranges holds whole. All are in canonical form. */
export function rangesBeyond(held: readonly string[], wanted: readonly string[]): string[] {
  const ranges = readRanges(held);
  return wanted.filter((cidr) => {
    const [address, bits] = ipaddr.parseCIDR(cidr);
    return !ranges.some(
      (range) => range[0].kind() === address.kind() && range[1] <= bits && address.match(range),
    );
  });
}

/** Whether one of the ranges holds the address. IPv4 inside IPv6 (`::ffff:203.0.113.7`) counts as IPv4. */
export function inRanges(address: string, ranges: readonly Range[]): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  return ranges.some((range) => parsed.kind() === range[0].kind() && parsed.match(range));
}
