import type { FastifyRequest } from 'fastify';
import type { Context } from '../context.ts';
import type { Log } from '../log/log.ts';
import type { Principal } from './admission.ts';

/** The context of a request, for its use cases. */
export function contextOf(principal: Principal, request: FastifyRequest, log: Log): Context {
  const { accountId, mode, actor, scopes, logFields } = principal;
  const { id: requestId, ip, headers } = request;
  let child: Log | undefined;
  return {
    accountId,
    mode,
    actor,
    scopes,
    requestId,
    ip,
    userAgent: headers['user-agent'],
    // Made only where a use case logs: most requests never do.
    get log() {
      child ??= log.child({ request_id: requestId, ...logFields });
      return child;
    },
  };
}
