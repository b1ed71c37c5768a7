import { z } from 'zod';
import type { ErrorFactory } from '../../lib/errors.ts';
import type { Context } from '../context.ts';
import type { Quota } from '../rate-limit/rate-limiter.ts';
import type { Access } from './admission.ts';
import { type Answers, type Outcome, type Reply, toOutcome } from './answer.ts';
import type { ServerSentEvent } from './event-stream.ts';
import type { IdempotentRequest } from './idempotent-request.ts';
import { readInput } from './read-input.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** What a handler may know of the request beside its input. */
export interface RequestFacts {
  /** The caller's address, behind the proxies that are trusted. */
  ip: string;
  userAgent: string | undefined;
  requestId: string;
  accept: string | undefined;
  /** Aborts when the caller has gone, the time for an answer is over, or the process shuts down. */
  signal: AbortSignal;
  /** What is left of the caller's rate limit after this request. */
  rateLimit: Quota;
  /** On routes with `idempotency: 'own'`, where the caller sent a key. */
  idempotency: IdempotentRequest | undefined;
  /** On streams: the last event that the caller has, by header or `?last_event_id=`. */
  lastEventId: string | undefined;
}

/** A request whose input has been validated. Path ids are UUIDs. */
export interface Call<Params, Query, Body> {
  ctx: Context;
  params: Params;
  query: Query;
  body: Body;
  http: RequestFacts;
}

/** What the reference says about an operation, and what the edge checks before its handler is asked. */
export interface Operation {
  method: Method;
  /** With `:name` for parameters. */
  path: string;
  operationId: string;
  summary: string;
  description?: string;
  tag: string;
  /** Scope that the key or role must have; `undefined` for any. */
  scope: string | undefined;
  /** `account` where not said; `public` by {@link definePublicRoute}. */
  access?: Access;
  /** Changes or hands over what belongs to both modes: API keys of test mode, which are passed around freely, are refused. */
  wholeAccount?: boolean;
  /** Errors of the slices that this operation may answer with. The first 404 answers for malformed path ids. */
  problems?: readonly ErrorFactory[];
  /** Points it takes from the caller's rate limit; 1 where not said. */
  cost?: number;
  /** Longest time for an answer, in milliseconds; 30 s where not said. */
  timeoutMs?: number;
}

interface Inputs<Params, Query, Body> {
  params?: z.ZodType<Params>;
  query?: z.ZodType<Query>;
  body?: z.ZodType<Body>;
}

export interface RouteOptions<Params, Query, Body, A extends Answers>
  extends Operation,
    Inputs<Params, Query, Body> {
  answers: A;
  /**
   * POSTs only. `stored` (where not said): the edge keeps the answer of a request with an `Idempotency-Key`, a 5xx
   * too unless its error is `repeatable`. `own`:
   * the handler does, in its own transaction. `none`: the key is ignored.
   */
  idempotency?: 'stored' | 'own' | 'none';
  handler: (call: Call<Params, Query, Body>) => Promise<Reply<A>>;
}

/** An operation that anybody may call, within the limit of their address. */
export interface PublicRouteOptions<Params, Query, Body, A extends Answers>
  extends Omit<Operation, 'scope' | 'access'>,
    Inputs<Params, Query, Body> {
  answers: A;
  handler: (call: Omit<Call<Params, Query, Body>, 'ctx'>) => Promise<Reply<A>>;
}

export interface StreamOptions<Params, Query>
  extends Omit<Operation, 'method'>,
    Inputs<Params, Query, unknown> {
  /** Each type of event with the schema of its data, for the reference. */
  events: Record<string, z.ZodType>;
  /** Starts the stream. It must end soon after `http.signal` aborts. */
  open: (call: Call<Params, Query, unknown>) => Promise<AsyncIterable<ServerSentEvent>>;
}

/** Raw input and the facts around it, from the driver. */
export interface RawCall {
  /** `undefined` where the operation is public. */
  ctx: Context | undefined;
  params: unknown;
  query: unknown;
  body: unknown;
  http: RequestFacts;
}

/** An operation as the edge serves it; made by {@link defineRoute} and {@link defineStream}. */
export interface Route {
  operation: Operation;
  schemas: { params?: z.ZodType; query?: z.ZodType; body?: z.ZodType };
  answers: Answers;
  idempotency: 'stored' | 'own' | 'none';
  streams: boolean;
  /** Validates the input, throwing `request.invalid`; the result does the work. */
  prepare: (call: RawCall) => () => Promise<Outcome>;
}

/** Declares an operation of the API: what it takes, what it answers, and the call that does it. */
export function defineRoute<Params, Query, Body, A extends Answers>(
  route: RouteOptions<Params, Query, Body, A>,
): Route {
  const { answers, handler, idempotency, ...operation } = route;
  return {
    operation,
    schemas: schemasOf(route),
    answers,
    idempotency: route.method === 'POST' ? (idempotency ?? 'stored') : 'none',
    streams: false,
    prepare: (raw) => {
      const call = { ctx: known(raw.ctx), http: raw.http, ...readInput(route, raw) };
      return async () => toOutcome(answers, await handler(call));
    },
  };
}

/** Declares an operation that asks for no credential, such as signing in. */
export function definePublicRoute<Params, Query, Body, A extends Answers>(
  route: PublicRouteOptions<Params, Query, Body, A>,
): Route {
  const { answers, handler, ...operation } = route;
  return {
    operation: { ...operation, scope: undefined, access: 'public' },
    schemas: schemasOf(route),
    answers,
    idempotency: 'none',
    streams: false,
    prepare: (raw) => {
      const call = { http: raw.http, ...readInput(route, raw) };
      return async () => toOutcome(answers, await handler(call));
    },
  };
}

function known(ctx: Context | undefined): Context {
  if (ctx === undefined) throw new Error('the request was not admitted');
  return ctx;
}

/** Declares a stream of server-sent events. Heartbeats, back-pressure and closing are the edge's work. */
export function defineStream<Params, Query>(stream: StreamOptions<Params, Query>): Route {
  const { events, open, ...operation } = stream;
  const data = z.union(Object.values(events));
  return {
    operation: { ...operation, method: 'GET' },
    schemas: schemasOf(stream),
    answers: {
      200: {
        description: `Server-sent events: ${Object.keys(events).join(', ')}.`,
        media: { 'text/event-stream': data },
      },
    },
    idempotency: 'none',
    streams: true,
    prepare: (raw) => {
      const call = { ctx: known(raw.ctx), http: raw.http, ...readInput(stream, raw) };
      return async () => ({ kind: 'stream', events: await open(call) });
    },
  };
}

function schemasOf({ params, query, body }: Inputs<unknown, unknown, unknown>): Route['schemas'] {
  return { ...(params && { params }), ...(query && { query }), ...(body && { body }) };
}
