import type { FastifyInstance } from 'fastify';
import { declaredErrors } from '../../lib/errors.ts';
import { declaredOutcomes } from '../../lib/outcomes.ts';
import { requestErrors } from './http.errors.ts';

/** Serves what each problem's `type` points at, and what other codes mean, by code. */
export function serveErrorPages(app: FastifyInstance): void {
  app.get<{ Params: { code: string } }>(
    '/errors/:code',
    { schema: { hide: true } },
    async (request, reply) => {
      const found = [...declaredErrors(), ...declaredOutcomes()].find(
        ({ code }) => code === request.params.code,
      );
      if (found === undefined) throw requestErrors.notFound();
      return reply.header('cache-control', 'public, max-age=3600').send(found);
    },
  );
}
