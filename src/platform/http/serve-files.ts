import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { fileErrors } from '../files/files.errors.ts';
import type { LocalFiles } from '../files/local-files.ts';
import { dispositionOf } from './content-disposition.ts';

const linkQuery = z.object({
  expires: z.coerce.number().int(),
  save_as: z.string().min(1).max(255),
  signature: z.string().max(100),
});

/**
 * Serves the signed links of {@link LocalFiles} at `/files/…`. Always as a download of bytes: what customers stored
 * must not run as a page of ours.
 */
export function serveFiles(app: FastifyInstance, files: LocalFiles): void {
  app.get<{ Params: { '*': string } }>(
    '/files/*',
    { schema: { hide: true }, exposeHeadRoute: false },
    async (request, reply) => {
      const query = linkQuery.safeParse(request.query);
      if (!query.success) throw fileErrors.linkInvalid();
      const { save_as: saveAs, ...rest } = query.data;
      const { content, bytes } = await files.follow({ key: request.params['*'], saveAs, ...rest });
      return reply
        .type('application/octet-stream')
        .header('content-length', bytes)
        .header('content-disposition', dispositionOf(saveAs))
        .header('cache-control', 'private, no-store')
        .send(content);
    },
  );
}
