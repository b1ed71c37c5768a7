import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Log } from '../log/log.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { problemCodeOf } from './send-problem.ts';
import { principalOf } from './serve-route.ts';

/** Paths that are asked every few seconds by machines; their lines would drown the others. */
const QUIET = new Set(['/healthz', '/readyz', '/metrics']);

/** Writes one line a request and counts it. Never a body, a query or a key: the path is the route's pattern. */
export function logRequests(
  app: FastifyInstance,
  { log, metrics }: { log: Log; metrics: Pick<Metrics, 'requestDuration'> | undefined },
): void {
  app.addHook('onResponse', async (request, reply) => {
    const { method } = request;
    const route = request.routeOptions.url ?? 'unmatched';
    const status = reply.statusCode;
    const ms = Math.round(reply.elapsedTime * 100) / 100;
    metrics?.requestDuration.observe({ method, route, status: String(status) }, reply.elapsedTime / 1000);
    const level = QUIET.has(route) ? 'debug' : 'info';
    log[level]({ request_id: request.id, method, route, status, ms, ...whoAndWhy(request) }, 'request');
  });
}

function whoAndWhy(request: FastifyRequest): Record<string, string> {
  const code = problemCodeOf(request);
  return { ip: request.ip, ...principalOf(request)?.logFields, ...(code === undefined ? {} : { code }) };
}
