import { Resolver } from 'node:dns/promises';
import { LRUCache } from 'lru-cache';
import { outboundError } from './outbound-error.ts';

export interface ResolvedAddress {
  address: string;
  family: 4 | 6;
}

/** All addresses of a name, at least one. @throws OutboundError `dns` */
export type ResolveHost = (host: string) => Promise<ResolvedAddress[]>;

/** How long answers are kept, in milliseconds: receivers that close every connection would cost a question each. */
const KEPT_MS = 10_000;
const LOOPBACK: ResolvedAddress[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];

/**
 * Asks the name servers of the system, past its hosts file. Not through `getaddrinfo`: that takes one of four threads
 * of the process for as long as a name server likes, so a few names that never answer would stop all work.
 * @param options.servers name servers to ask instead, as `address:port`
 */
export function createHostResolver({ servers }: { servers?: readonly string[] } = {}): ResolveHost {
  const cache = new LRUCache<string, ResolvedAddress[]>({
    max: 10_000,
    ttl: KEPT_MS,
    fetchMethod: (host) => askServers(host, servers),
  });
  return async (host) => (/(^|\.)localhost\.?$/.test(host) ? LOOPBACK : cache.forceFetch(host));
}

async function askServers(host: string, servers: readonly string[] | undefined): Promise<ResolvedAddress[]> {
  // A fresh one knows the servers of now: a laptop changes networks.
  const resolver = new Resolver({ timeout: 2_000, tries: 2 });
  if (servers !== undefined) resolver.setServers(servers);
  const [v4, v6] = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
  const found = [...addresses(v4, 4), ...addresses(v6, 6)];
  if (found.length === 0) throw outboundError('dns', v4.status === 'rejected' ? v4.reason : undefined);
  return found;
}

function addresses(answer: PromiseSettledResult<string[]>, family: 4 | 6): ResolvedAddress[] {
  return answer.status === 'fulfilled' ? answer.value.map((address) => ({ address, family })) : [];
}
