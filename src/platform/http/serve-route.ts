import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ErrorFactory } from '../../lib/errors.ts';
import type { Log } from '../log/log.ts';
import { type Admit, type Admitted, isRefusal } from './admission.ts';
import { JSON_TYPE, type Outcome } from './answer.ts';
import { AnswerLimit } from './answer-limit.ts';
import { lastEventIdOf, toEventStream } from './event-stream.ts';
import type { Idempotency } from './idempotency.ts';
import { readIdempotency } from './idempotent-request.ts';
import { operationSchema } from './operation-schema.ts';
import { PROBLEM_TYPE } from './problem.ts';
import { contextOf } from './request-context.ts';
import type { RequestFacts, Route } from './route.ts';

/** Longest time for an answer, in milliseconds. */
const ANSWER_TIMEOUT_MS = 30_000;
/** How often a stream asks whether its key still stands; with the key cache's own age this stays under two seconds. */
const RECHECK_MS = 1_000;

export interface Edge {
  admit: Admit;
  /** What admission may refuse a key for, beside the edge's own reasons. */
  refusals: readonly ErrorFactory[];
  idempotency: Idempotency;
  log: Log;
  /** Aborts when the process shuts down: streams end. */
  closing: AbortSignal;
  heartbeatMs: number;
}

/** One request that is being served. */
interface Served {
  route: Route;
  edge: Edge;
  admission: Admitted;
  request: FastifyRequest;
  reply: FastifyReply;
}

const admitted = new WeakMap<FastifyRequest, Admitted>();

/** Serves an operation: admission, input, idempotency, the handler, and its answer on the wire. */
export function serveRoute(app: FastifyInstance, route: Route, edge: Edge): void {
  const { operation, streams } = route;
  app.route({
    method: operation.method,
    url: operation.path,
    schema: operationSchema(route, edge.refusals),
    exposeHeadRoute: operation.method === 'GET' && !streams,
    onRequest: async (request, reply) => {
      admitted.set(request, await edge.admit(request, reply, operation));
    },
    handler: async (request, reply) => {
      const admission = admitted.get(request);
      if (admission === undefined) throw new Error('the request was not admitted');
      const served = { route, edge, admission, request, reply };
      return streams ? serveStream(served) : serveAnswer(served);
    },
  });
}

async function serveAnswer({ route, edge, admission, request, reply }: Served): Promise<FastifyReply> {
  const { method, url, params, query, body, headers } = request;
  const ctx = admission.principal && contextOf(admission.principal, request, edge.log);
  const limit = new AnswerLimit(reply.raw, route.operation.timeoutMs ?? ANSWER_TIMEOUT_MS);
  const http: RequestFacts = {
    ...factsOf(request, admission),
    get signal() {
      return limit.signal;
    },
  };
  const work = route.prepare({ ctx, params, query, body, http });
  if (route.idempotency !== 'none') http.idempotency = readIdempotency(headers, { method, url, body });
  const keep = route.idempotency === 'stored' ? http.idempotency : undefined;
  return sendOutcome(reply, await limit.keep(ctx && keep ? edge.idempotency.once(ctx, keep, work) : work()));
}

function factsOf({ ip, id, headers }: FastifyRequest, { quota }: Admitted): Omit<RequestFacts, 'signal'> {
  return {
    ip,
    userAgent: headers['user-agent'],
    requestId: id,
    accept: headers.accept,
    rateLimit: quota,
    idempotency: undefined,
    lastEventId: undefined,
  };
}

function sendOutcome(reply: FastifyReply, outcome: Outcome): FastifyReply {
  if (outcome.kind === 'stream') throw new Error('only stream operations answer with a stream');
  if (outcome.kind === 'replay') {
    const { status, text } = outcome.answer;
    reply.code(status).header('idempotent-replayed', 'true');
    return text === '' ? reply.send(null) : reply.type(status < 400 ? JSON_TYPE : PROBLEM_TYPE).send(text);
  }
  reply.code(outcome.status).headers(outcome.headers);
  if (outcome.kind === 'download') return sendDownload(reply.type(outcome.type), outcome.content);
  return outcome.payload === undefined ? reply.send(null) : reply.type(outcome.type).send(outcome.payload);
}

/** For HEAD nothing is read: Fastify would read all and throw it away. */
function sendDownload(reply: FastifyReply, content: Readable): FastifyReply {
  if (reply.request.method !== 'HEAD') return reply.send(content);
  content.destroy();
  return reply.send(Readable.from([]));
}

async function serveStream({ route, edge, admission, request, reply }: Served): Promise<FastifyReply> {
  const { params, query, body } = request;
  const ctx = admission.principal && contextOf(admission.principal, request, edge.log);
  const signal = endOfStream(reply, edge.closing, admission);
  const http: RequestFacts = {
    ...factsOf(request, admission),
    lastEventId: lastEventIdOf(request),
    signal,
  };
  const outcome = await route.prepare({ ctx, params, query, body, http })();
  if (outcome.kind !== 'stream') throw new Error('a stream operation answered with something else');
  return reply
    .type('text/event-stream; charset=utf-8')
    .header('x-accel-buffering', 'no')
    .send(toEventStream(outcome.events, { heartbeatMs: edge.heartbeatMs, signal }));
}

/** Aborts when the reader leaves, the process shuts down, or the key stops standing. */
function endOfStream(reply: FastifyReply, closing: AbortSignal, admission: Admitted): AbortSignal {
  const over = new AbortController();
  const end = () => over.abort();
  const recheck = setInterval(() => {
    admission.recheck().catch((error: unknown) => isRefusal(error) && end());
  }, RECHECK_MS);
  reply.raw.once('close', end);
  closing.addEventListener('abort', end, { once: true });
  over.signal.addEventListener(
    'abort',
    () => {
      clearInterval(recheck);
      closing.removeEventListener('abort', end);
    },
    { once: true },
  );
  if (closing.aborted) end();
  return over.signal;
}
