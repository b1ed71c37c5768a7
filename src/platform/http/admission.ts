import type { FastifyReply, FastifyRequest } from 'fastify';
import ipaddr from 'ipaddr.js';
import { type ErrorFactory, PingrError } from '../../lib/errors.ts';
import type { Mode } from '../../lib/mode.ts';
import type { Actor } from '../context.ts';
import type { Quota, RateLimiter } from '../rate-limit/rate-limiter.ts';
import { readCredential, readWanted } from './credential.ts';
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

/**
 * Who may call an operation: `account`, a key or a person in one of their accounts; `user`, a person alone, who need
 * not say for which account; `public`, everybody, by address.
 */
export type Access = 'account' | 'user' | 'public';

/** What a person who is signed in asks to act for. Keys have theirs built in. */
export interface Wanted {
  access: Access;
  /** The header `Pingr-Account`: public id of an account. */
  account: string | undefined;
  /** The header `Pingr-Mode`. */
  mode: string | undefined;
}

/** Finds whom a key stands for. @throws PingrError with status 401 or 403 */
export type Authenticate = (credential: string, ip: string) => Promise<Principal>;

/** Finds whom a key or a sign-in token stands for. @throws as {@link Authenticate} does */
export type AuthenticateCaller = (credential: string, ip: string, wanted: Wanted) => Promise<Principal>;

export interface AdmissionOptions {
  authenticate: AuthenticateCaller;
  /** What `authenticate` may throw, for the reference. */
  refusals?: readonly ErrorFactory[];
  /** Per account and mode, per person in them, and per address for operations that ask for neither. */
  rateLimiter: RateLimiter;
  /** Requests that the account's keys, or the person, may make per window; set by the account's plan. */
  rateLimitOf: (principal: Principal) => number | Promise<number>;
  /** Per address, for requests with a wrong key. */
  failureLimiter: RateLimiter;
  /** Requests with a wrong key that an address may make per window. */
  failureLimit: number;
  /** Requests that an address may make per window to operations that ask for no credential. */
  publicLimit?: number;
}

/** A request that may go on. */
export interface Admitted {
  /** `undefined` where the operation asks for no credential. */
  principal: Principal | undefined;
  quota: Quota;
  /** Asks again whether the key still stands and has the scopes it had. @throws as {@link Authenticate} does */
  recheck: () => Promise<unknown>;
}

/** Decides whether a request may go on, before its body is read. */
export type Admit = (
  request: FastifyRequest,
  reply: FastifyReply,
  operation: { scope: string | undefined; cost?: number; access?: Access; wholeAccount?: boolean },
) => Promise<Admitted>;

const PUBLIC_LIMIT = 60;
/** Of a person, for what concerns no account. */
const PERSON_LIMIT = 300;

const principals = new WeakMap<FastifyRequest, Principal>();

/** Who made a request, also where it then was refused for its scope or its rate. */
export function principalOf(request: FastifyRequest): Principal | undefined {
  return principals.get(request);
}

/** Key or token, then rate limit, then scope, then mode. */
export function createAdmission(options: AdmissionOptions): Admit {
  const { authenticate, rateLimiter, rateLimitOf } = options;
  return async (request, reply, { scope, cost = 1, access = 'account', wholeAccount = false }) => {
    const { ip } = request;
    if (access === 'public') return admitAddress(options, request, reply, cost);
    const credential = readCredential(request.headers);
    const wanted = readWanted(request.headers, access);
    const principal = await authenticate(credential, ip, wanted).catch((error: unknown) =>
      refuse(options, ip, error),
    );

    principals.set(request, principal);

    const quota =
      access === 'user'
        ? await rateLimiter.take(`user:${idOf(principal)}`, PERSON_LIMIT, cost)
        : await rateLimiter.take(countedAs(principal), await rateLimitOf(principal), cost);
    checkQuota(quota, reply, rateLimiter.windowMs);
    if (access === 'user' && principal.actor.type !== 'user') throw authErrors.userNeeded();
    if (scope !== undefined && !hasScope(principal.scopes, scope)) {
      throw authErrors.scopeMissing({ detail: `The call needs the scope ${scope}.` });
    }
    if (wholeAccount && isTestKey(principal)) throw authErrors.liveKeyNeeded();
    return {
      principal,
      quota,
      recheck: async () => refuseLess(principal, await authenticate(credential, ip, wanted)),
    };
  };
}

/**
 * Keys share what their account may do, or more keys would mean more requests. A person is counted alone, and can see
 * what is going on while the account's servers use all of it. Each counter has one limit: that of an account and mode.
 */
function countedAs(principal: Principal): string {
  const { accountId, mode, actor } = principal;
  return actor.type === 'user' ? `${actor.id}:${accountId}:${mode}` : `${accountId}:${mode}`;
}

function idOf({ actor }: Principal): string {
  return actor.type === 'system' ? '' : actor.id;
}

/** People are judged by their role, whatever mode they look at. */
function isTestKey({ actor, mode }: Principal): boolean {
  return actor.type === 'api_key' && mode === 'test';
}

/** For operations that anybody may call: the limit of the caller's address. */
async function admitAddress(
  { rateLimiter, publicLimit = PUBLIC_LIMIT }: AdmissionOptions,
  request: FastifyRequest,
  reply: FastifyReply,
  cost: number,
): Promise<Admitted> {
  const quota = await rateLimiter.take(`public:${networkOf(request.ip)}`, publicLimit, cost);
  checkQuota(quota, reply, rateLimiter.windowMs);
  return { principal: undefined, quota, recheck: async () => undefined };
}

function checkQuota(quota: Quota, reply: FastifyReply, windowMs: number): void {
  reply.headers(rateLimitHeaders(quota, windowMs));
  if (quota.allowed) return;
  const detail = `The limit is ${quota.limit} requests per ${windowMs / 1000} seconds.`;
  throw rateLimitErrors.exceeded({ detail, retryAfter: quota.resetMs / 1000 });
}

/** @throws auth.scope_missing where the caller may do less than when it was let in */
function refuseLess(before: Principal, now: Principal): void {
  if (![...before.scopes].every((scope) => hasScope(now.scopes, scope))) throw authErrors.scopeMissing();
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
export function networkOf(ip: string): string {
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
