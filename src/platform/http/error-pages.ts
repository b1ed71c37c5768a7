import type { FastifyInstance } from 'fastify';
import { declaredErrors } from '../../lib/errors.ts';
import { requestErrors } from './http.errors.ts';

/** Serves what each problem's `type` points at: its title, status and what to do about it. */
export function serveErrorPages(app: FastifyInstance): void {
  app.get<{ Params: { code: string } }>(
    '/errors/:code',
    { schema: { hide: true } },
    async (request, reply) => {
      const found = declaredErrors().find(({ code }) => code === request.params.code);
      if (found === undefined) throw requestErrors.notFound();
      return reply.header('cache-control', 'public, max-age=3600').send(found);
    },
  );
}
