import type { FastifyInstance } from 'fastify';
import { requestErrors } from './http.errors.ts';
import { pathOf } from './problem.ts';
import { sendProblem } from './send-problem.ts';

/** Answers what no route matched: OPTIONS and other methods of known paths with `Allow`, the rest with 404. */
export function answerUnmatched(app: FastifyInstance): void {
  const methodsByPattern = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    const methods = methodsByPattern.get(url) ?? new Set(['OPTIONS']);
    for (const one of [method].flat()) methods.add(one);
    methodsByPattern.set(url, methods);
  });

  app.setNotFoundHandler((request, reply) => {
    const methods = allowed(methodsByPattern, pathOf(request.url).replace(/(?<=.)\/$/, ''));
    if (methods.length === 0) return sendProblem(requestErrors.notFound(), request, reply);
    reply.header('allow', methods.join(', '));
    if (request.method === 'OPTIONS') return reply.code(204).send();
    return sendProblem(requestErrors.methodNotAllowed(), request, reply);
  });
}

function allowed(methodsByPattern: ReadonlyMap<string, ReadonlySet<string>>, path: string): string[] {
  const matching = [...methodsByPattern].filter(([pattern]) => matches(pattern, path));
  return [...new Set(matching.flatMap(([, methods]) => [...methods]))].toSorted();
}

function matches(pattern: string, path: string): boolean {
  const parts = pattern.split('/');
  const given = path.split('/');
  return (
    parts.length === given.length &&
    parts.every((part, i) => part === given[i] || (part.startsWith(':') && given[i] !== ''))
  );
}
