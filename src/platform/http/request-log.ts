import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Log } from '../log/log.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { problemCodeOf } from './send-problem.ts';
import { principalOf } from './serve-route.ts';

/** Paths that are asked every few seconds by machines; their lines would drown the others. */
const QUIET = new Set(['/healthz', '/readyz', '/metrics']);

/**
 * Writes one line a request and counts it, also where the caller left before the answer (`left`). Never a body, a
 * query or a key: the path is the route's pattern.
 */
export function logRequests(
  app: FastifyInstance,
  { log, metrics }: { log: Log; metrics: Pick<Metrics, 'requestDuration'> | undefined },
): void {
  app.addHook('onRequest', (request, reply, done) => {
    const started = performance.now();
    reply.raw.once('close', () => {
      const ms = performance.now() - started;
      const { method } = request;
      const route = request.routeOptions.url ?? 'unmatched';
      const status = reply.statusCode;
      // How long a stream is followed says nothing of how fast we are.
      if (!isStream(reply)) {
        metrics?.requestDuration.observe({ method, route, status: String(status) }, ms / 1000);
      }
      const level = QUIET.has(route) ? 'debug' : 'info';
      const line = { request_id: request.id, method, route, status, ms: Math.round(ms * 100) / 100 };
      log[level]({ ...line, ...whoAndWhy(request, reply) }, 'request');
    });
    done();
  });
}

function isStream(reply: FastifyReply): boolean {
  return String(reply.getHeader('content-type')).startsWith('text/event-stream');
}

function whoAndWhy(request: FastifyRequest, reply: FastifyReply): Record<string, string | boolean> {
  const code = problemCodeOf(request);
  return {
    ip: request.ip,
    ...principalOf(request)?.logFields,
    ...(code === undefined ? {} : { code }),
    ...(reply.raw.writableFinished ? {} : { left: true }),
  };
}
