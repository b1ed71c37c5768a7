import type { FastifyReply, FastifyRequest } from 'fastify';
import ipaddr from 'ipaddr.js';
import { type ErrorFactory, PingrError } from '../../lib/errors.ts';
import type { Mode } from '../../lib/mode.ts';
import type { Actor } from '../context.ts';
import type { Quota, RateLimiter } from '../rate-limit/rate-limiter.ts';
import { readCredential } from './credential.ts';
import { authErrors, rateLimitErrors } from './http.errors.ts';

/** Whom a credential stands for. */
export interface Principal {
  accountId: string;
  mode: Mode;
  actor: Actor;
  scopes: ReadonlySet<string>;
  /** Put on log lines: public ids of account and key. */
  logFields: Readonly<Record<string, string>>;
}

/** Finds whom a key stands for. @throws PingrError with status 401 or 403 */
export type Authenticate = (credential: string, ip: string) => Promise<Principal>;

export interface AdmissionOptions {
  authenticate: Authenticate;
  /** What `authenticate` may throw, for the reference. */
  refusals?: readonly ErrorFactory[];
  /** Per key. */
  rateLimiter: RateLimiter;
  /** Requests that a key may make per window; set by the account's plan. */
  rateLimitOf: (principal: Principal) => number;
  /** Per address, for requests with a wrong key. */
  failureLimiter: RateLimiter;
  /** Requests with a wrong key that an address may make per window. */
  failureLimit: number;
}

/** A request that may go on. */
export interface Admitted {
  principal: Principal;
  quota: Quota;
  /** Asks again whether the key still stands. @throws as {@link Authenticate} does */
  recheck: () => Promise<unknown>;
}

/** Decides whether a request may go on, before its body is read. */
export type Admit = (
  request: FastifyRequest,
  reply: FastifyReply,
  operation: { scope: string | undefined; cost?: number },
) => Promise<Admitted>;

/** Key, then rate limit, then scope. */
export function createAdmission(options: AdmissionOptions): Admit {
  const { authenticate, rateLimiter, rateLimitOf } = options;
  return async (request, reply, { scope, cost = 1 }) => {
    const { ip } = request;
    const credential = readCredential(request.headers);
    const principal = await authenticate(credential, ip).catch((error: unknown) =>
      refuse(options, ip, error),
    );

    const quota = await rateLimiter.take(
      principal.actor.type === 'api_key' ? principal.actor.id : '',
      rateLimitOf(principal),
      cost,
    );
    reply.headers(rateLimitHeaders(quota, rateLimiter.windowMs));
    if (!quota.allowed) {
      const detail = `The limit is ${quota.limit} requests per ${rateLimiter.windowMs / 1000} seconds.`;
      throw rateLimitErrors.exceeded({ detail, retryAfter: quota.resetMs / 1000 });
    }
    if (scope !== undefined && !hasScope(principal.scopes, scope)) {
      throw authErrors.scopeMissing({ detail: `The call needs the scope ${scope}.` });
    }
    return { principal, quota, recheck: () => authenticate(credential, ip) };
  };
}

/** Whether a key's scopes cover one; `*` covers all. */
export function hasScope(scopes: ReadonlySet<string>, scope: string): boolean {
  return scopes.has(scope) || scopes.has('*');
}

/** Whether an error means that the key does not stand, rather than that it could not be checked. */
export function isRefusal(error: unknown): error is PingrError {
  return error instanceof PingrError && [401, 403].includes(error.definition.status);
}

/** Counts a wrong key against its address, whose right keys go on working. @throws always */
async function refuse(
  { failureLimiter, failureLimit }: AdmissionOptions,
  ip: string,
  error: unknown,
): Promise<never> {
  if (!isRefusal(error)) throw error;
  const quota = await failureLimiter.take(`ip:${networkOf(ip)}`, failureLimit, 1);
  if (quota.allowed) throw error;
  throw authErrors.tooManyFailures({ retryAfter: quota.resetMs / 1000, cause: error });
}

/** An IPv4 address, or the /64 that one subscriber has of IPv6. */
function networkOf(ip: string): string {
  if (!ipaddr.isValid(ip)) return ip;
  const address = ipaddr.process(ip);
  return address.kind() === 'ipv4'
    ? address.toString()
    : address.toNormalizedString().split(':', 4).join(':');
}

/** The three headers in wide use, and the two of the IETF draft (draft-ietf-httpapi-ratelimit-headers-10). */
function rateLimitHeaders({ limit, remaining, resetMs }: Quota, windowMs: number): Record<string, string> {
  const reset = Math.ceil(resetMs / 1000);
  return {
    'ratelimit-limit': String(limit),
    'ratelimit-remaining': String(remaining),
    'ratelimit-reset': String(reset),
    'ratelimit-policy': `"default";q=${limit};w=${windowMs / 1000}`,
    ratelimit: `"default";r=${remaining};t=${reset}`,
  };
}
