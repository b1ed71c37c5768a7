import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Log } from '../log/log.ts';
import { asPingrError } from './as-pingr-error.ts';
import { serviceErrors } from './http.errors.ts';
import { pathOf, problemHeaders, problemOf } from './problem.ts';

const codes = new WeakMap<FastifyRequest, string>();

/** The code of the problem that a request was answered with, for its log line. */
export function problemCodeOf(request: FastifyRequest): string | undefined {
  return codes.get(request);
}

/** Answers with the problem that an error stands for; the only place that writes problems to a reply. */
export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = asPingrError(error);
  codes.set(request, problem.code);
  return reply
    .code(problem.definition.status)
    .headers(problemHeaders(problem))
    .send(JSON.stringify(problemOf(problem, { path: pathOf(request.url), id: request.id })));
}

/** Turns whatever is thrown into a problem, and logs what is our own fault with its cause. */
export function handleErrors(app: FastifyInstance, log: Log): void {
  app.setErrorHandler((error, request, reply) => {
    const problem = asPingrError(error);
    if (problem.definition.status >= 500) {
      const level = problem.code === serviceErrors.unexpected.definition.code ? 'error' : 'warn';
      log[level](
        { request_id: request.id, code: problem.code, err: problem.cause ?? problem },
        'request failed',
      );
    }
    return sendProblem(problem, request, reply);
  });
}
