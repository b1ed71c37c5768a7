import { isIP } from 'node:net';
import { OutboundError, outboundError } from './outbound-error.ts';
import { addressKind } from './public-address.ts';

/** What a request may do: in live mode `required` and false; in test mode `optional` and as configured. */
export interface OutboundPolicy {
  https: 'required' | 'optional';
  /** Whether it may reach this machine. */
  loopback: boolean;
}

/** A URL that passed everything that can be said without asking DNS. */
export interface CheckedUrl {
  origin: string;
  /** With the query. */
  path: string;
  /** Without brackets, in the canonical form that the URL standard gives it. */
  host: string;
}

/** Names that mean this machine, a local network or a cloud's metadata wherever they are asked (RFC 6761, RFC 8375). */
const LOCAL_NAME = /(^|\.)(local|localdomain|internal|intranet|lan|home\.arpa|metadata\.goog)$/;
const LOOPBACK_NAME = /(^|\.)localhost$/;

/** @throws OutboundError with `invalid_url`, `https_required` or `blocked_address` */
export function checkUrl(text: string, policy: OutboundPolicy): CheckedUrl {
  const url = parseUrl(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw outboundError('invalid_url');
  if (url.username !== '' || url.password !== '')
    throw new OutboundError('invalid_url', 'The URL must not hold credentials');
  if (policy.https === 'required' && url.protocol !== 'https:') throw outboundError('https_required');
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (isIP(host) !== 0) refuseUnlessAllowed(host, policy);
  else checkName(host.replace(/\.$/, ''), policy);
  return { origin: url.origin, path: url.pathname + url.search, host };
}

/** @throws OutboundError `blocked_address` for an IP address that the policy does not reach */
export function refuseUnlessAllowed(address: string, { loopback }: Pick<OutboundPolicy, 'loopback'>): void {
  const kind = addressKind(address);
  if (kind === 'public' || (kind === 'loopback' && loopback)) return;
  throw outboundError('blocked_address');
}

function parseUrl(text: string): URL {
  try {
    return new URL(text);
  } catch {
    throw outboundError('invalid_url');
  }
}

function checkName(name: string, { loopback }: OutboundPolicy): void {
  if (name === '') throw outboundError('invalid_url');
  if (LOCAL_NAME.test(name) || (LOOPBACK_NAME.test(name) && !loopback))
    throw outboundError('blocked_address');
}
