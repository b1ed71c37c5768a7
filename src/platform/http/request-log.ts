import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Log } from '../log/log.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { type Principal, principalOf } from './admission.ts';
import { problemCodeOf } from './send-problem.ts';

/** Paths that are asked every few seconds by machines; their lines would drown the others. */
const QUIET = new Set(['/healthz', '/readyz', '/metrics']);

/** A request that was answered, or whose caller left. Never its body, query or key. */
export interface RequestRecord {
  requestId: string;
  method: string;
  /** The route's pattern. */
  route: string;
  status: number;
  ms: number;
  ip: string;
  userAgent: string | undefined;
  /** Code of the problem that it was answered with. */
  code: string | undefined;
  /** Who made it, where that is known. */
  principal: Principal | undefined;
}

interface RequestLogOptions {
  log: Log;
  metrics: Pick<Metrics, 'requestDuration'> | undefined;
  /** Told of every request once it is over; must not throw. */
  onRequest?: ((record: RequestRecord) => void) | undefined;
}

/**
 * Writes one line a request and counts it, also where the caller left before the answer (`left`). Never a body, a
 * query or a key: the path is the route's pattern.
 */
export function logRequests(app: FastifyInstance, { log, metrics, onRequest }: RequestLogOptions): void {
  app.addHook('onRequest', (request, reply, done) => {
    const started = performance.now();
    reply.raw.once('close', () => {
      const record = recordOf(request, reply, performance.now() - started);
      const { method, route, status, ms } = record;
      // How long a stream is followed says nothing of how fast we are.
      if (!isStream(reply)) {
        metrics?.requestDuration.observe({ method, route, status: String(status) }, ms / 1000);
      }
      log[QUIET.has(route) ? 'debug' : 'info'](lineOf(record, reply), 'request');
      onRequest?.(record);
    });
    done();
  });
}

function recordOf(request: FastifyRequest, reply: FastifyReply, ms: number): RequestRecord {
  return {
    requestId: request.id,
    method: request.method,
    route: request.routeOptions.url ?? 'unmatched',
    status: reply.statusCode,
    ms,
    ip: request.ip,
    userAgent: request.headers['user-agent'],
    code: problemCodeOf(request),
    principal: principalOf(request),
  };
}

function lineOf(record: RequestRecord, reply: FastifyReply): Record<string, string | number | boolean> {
  const { requestId, method, route, status, ms, ip, code, principal } = record;
  return {
    request_id: requestId,
    method,
    route,
    status,
    ms: Math.round(ms * 100) / 100,
    ip,
    ...principal?.logFields,
    ...(code === undefined ? {} : { code }),
    ...(reply.raw.writableFinished ? {} : { left: true }),
  };
}

function isStream(reply: FastifyReply): boolean {
  return String(reply.getHeader('content-type')).startsWith('text/event-stream');
}
