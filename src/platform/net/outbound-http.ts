import { isIP } from 'node:net';
import { Agent } from 'undici';
import { checkedConnector, resolveAllowed } from './checked-connector.ts';
import { checkUrl, type OutboundPolicy } from './checked-url.ts';
import { Exchange, type OutboundResponse } from './exchange.ts';
import { OutboundError } from './outbound-error.ts';
import { createHostResolver, type ResolveHost } from './resolve-host.ts';

export type { OutboundPolicy } from './checked-url.ts';
export type { OutboundResponse } from './exchange.ts';
export { OutboundError } from './outbound-error.ts';

export interface OutboundRequest {
  url: string;
  headers: Record<string, string>;
  body: string | Uint8Array;
  /** For everything, from the name to the last byte of the answer. */
  timeoutMs: number;
  /** What is kept of the answer's body. */
  maxResponseBytes: number;
  policy: OutboundPolicy;
  signal?: AbortSignal | undefined;
}

/** Requests to addresses that customers name. No redirect is followed, and no proxy of the environment used. */
export interface OutboundHttp {
  /** @returns the answer, whatever its status. @throws OutboundError */
  post(request: OutboundRequest): Promise<OutboundResponse>;
  /**
   * Says early what `post` would refuse. A name that does not resolve passes: it may tomorrow.
   * @throws OutboundError with `invalid_url`, `https_required` or `blocked_address`
   */
  check(url: string, policy: OutboundPolicy): Promise<void>;
  /** Ends all connections; requests under way fail as `aborted`. */
  close(): Promise<void>;
}

export interface OutboundHttpOptions {
  /** Asks DNS; the system's name servers where not given. */
  resolve?: ResolveHost | undefined;
  /** Authorities to trust instead of the public ones, as PEM. */
  ca?: string | undefined;
}

const CONNECT_TIMEOUT_MS = 10_000;
/** `check` waits no longer than this for DNS. */
const CHECK_TIMEOUT_MS = 3_000;
/** Most connections to one origin. Beyond it requests wait, and their time runs: a guard that ordinary work never meets. */
const MAX_CONNECTIONS = 256;
/** Answers with more header bytes than this are refused. */
const MAX_HEADER_BYTES = 16_384;

/** Opens the door out. Connections are kept per origin, apart for requests that may reach this machine. */
export function createOutboundHttp({
  resolve = createHostResolver(),
  ca,
}: OutboundHttpOptions = {}): OutboundHttp {
  const agentFor = (loopback: boolean) =>
    new Agent({
      connect: checkedConnector({ resolve, loopback, ca, timeoutMs: CONNECT_TIMEOUT_MS }),
      connections: MAX_CONNECTIONS,
      maxHeaderSize: MAX_HEADER_BYTES,
      // The exchange has one timer for all.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  const publicOnly = agentFor(false);
  const withLoopback = agentFor(true);

  return {
    async post({ url, headers, body, policy, timeoutMs, maxResponseBytes, signal }) {
      const { origin, path } = checkUrl(url, policy);
      const exchange = new Exchange({ timeoutMs, maxResponseBytes, signal });
      const agent = policy.loopback ? withLoopback : publicOnly;
      agent.dispatch({ origin, path, method: 'POST', headers, body }, exchange);
      return exchange.response;
    },

    async check(url, policy) {
      const { host } = checkUrl(url, policy);
      await Promise.race([resolvable(resolve, host, policy.loopback), after(CHECK_TIMEOUT_MS)]);
    },

    async close() {
      await Promise.all([publicOnly.destroy(), withLoopback.destroy()]);
    },
  };
}

async function resolvable(resolve: ResolveHost, host: string, loopback: boolean): Promise<void> {
  if (isIP(host) !== 0) return;
  try {
    await resolveAllowed(resolve, host, loopback);
  } catch (error) {
    if (error instanceof OutboundError && error.reason === 'blocked_address') throw error;
  }
}

async function after(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
