import type { LookupFunction } from 'node:net';
import { isIP } from 'node:net';
import { buildConnector } from 'undici';
import { refuseUnlessAllowed } from './checked-url.ts';
import { outboundError } from './outbound-error.ts';
import type { ResolvedAddress, ResolveHost } from './resolve-host.ts';

export interface ConnectorOptions {
  resolve: ResolveHost;
  loopback: boolean;
  /** Longest time for name, TCP and TLS together, in milliseconds. */
  timeoutMs: number;
  /** Authorities to trust instead of the public ones, as PEM. */
  ca: string | undefined;
}

/**
 * Opens connections to allowed addresses only. The addresses that are checked are those that are connected to, so a
 * name that changes its answer in between (DNS rebinding) gains nothing.
 */
export function checkedConnector({
  resolve,
  loopback,
  timeoutMs,
  ca,
}: ConnectorOptions): buildConnector.connector {
  const connect = buildConnector({
    timeout: timeoutMs,
    lookup: checkedLookup(resolve, loopback),
    rejectUnauthorized: true,
    ...(ca !== undefined && { ca }),
  });
  return (options, callback) => {
    // Node asks no lookup for literals.
    if (isIP(options.hostname) !== 0) {
      try {
        refuseUnlessAllowed(options.hostname, { loopback });
      } catch (error) {
        return callback(asError(error), null);
      }
    }
    connect(options, callback);
  };
}

/** Resolves the name to all its addresses. @throws OutboundError `dns`, or `blocked_address` where any is not allowed */
export async function resolveAllowed(
  resolve: ResolveHost,
  host: string,
  loopback: boolean,
): Promise<[ResolvedAddress, ...ResolvedAddress[]]> {
  const [first, ...others] = await resolve(host);
  if (first === undefined) throw outboundError('dns');
  for (const { address } of [first, ...others]) refuseUnlessAllowed(address, { loopback });
  return [first, ...others];
}

function checkedLookup(resolve: ResolveHost, loopback: boolean): LookupFunction {
  type Callback = Parameters<LookupFunction>[2];
  const answer = async (host: string, all: boolean, callback: Callback) => {
    const found = await resolveAllowed(resolve, host, loopback).catch(asError);
    if (found instanceof Error) callback(found, '');
    else if (all) callback(null, found);
    else callback(null, found[0].address, found[0].family);
  };
  return (host, { all }, callback) => void answer(host, all === true, callback);
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : outboundError('dns', error);
}
