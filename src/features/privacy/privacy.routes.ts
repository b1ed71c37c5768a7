import { z } from 'zod';
import { idParams } from '../../platform/http/api-fields.ts';
import { pageOf, pageQuery, toPage } from '../../platform/http/page.ts';
import { defineRoute, type Operation, type Route } from '../../platform/http/route.ts';
import type { ClosuresService } from './closures.service.ts';
import type { ExportsService } from './exports.service.ts';
import { privacyErrors } from './privacy.errors.ts';
import * as schema from './privacy.schema.ts';
import { restoreOwnRoute, restoreRoute } from './restore.routes.ts';

const exporting = {
  tag: 'Account',
  scope: 'account:export',
  wholeAccount: true,
} satisfies Partial<Operation>;

/** Taking everything along, and leaving. */
export function privacyRoutes(closures: ClosuresService, exports: ExportsService): Route[] {
  return [closeRoute(closures), restoreRoute(closures), restoreOwnRoute(closures), ...exportRoutes(exports)];
}

function closeRoute(closures: ClosuresService): Route {
  return defineRoute({
    method: 'DELETE',
    path: '/v1/account',
    operationId: 'deleteAccount',
    summary: 'Delete the account',
    description:
      'Closes the account at once: keys stop working, everybody is signed out, sessions close. Until `erase_at`, in seven days as a rule, the link in the mail to each owner restores it, and so does an owner who signs in again; then everything is erased.',
    tag: 'Account',
    scope: 'account:delete',
    wholeAccount: true,
    problems: [privacyErrors.notConfirmed, privacyErrors.alreadyClosed],
    body: schema.closeBody,
    answers: { 202: { description: 'The account is closed.', schema: schema.closureView } },
    handler: async ({ ctx, body }) => ({
      status: 202,
      body: schema.showClosure(await closures.close(ctx, body.confirm)),
    }),
  });
}

function exportRoutes(exports: ExportsService): Route[] {
  return [
    defineRoute({
      ...exporting,
      method: 'POST',
      path: '/v1/account/export',
      operationId: 'createExport',
      summary: 'Export everything that the account has',
      description:
        'Makes an archive in the background: JSON lines for every kind of data, files, and a manifest with counts and SHA-256 sums. Secrets are left out. One at a time: while one is under way, it is that one that is answered.',
      answers: { 202: { description: 'The export, under way.', schema: schema.exportView } },
      handler: async ({ ctx }) => ({ status: 202, body: schema.showExport(await exports.request(ctx)) }),
    }),
    defineRoute({
      ...exporting,
      method: 'GET',
      path: '/v1/account/exports',
      operationId: 'listExports',
      summary: 'List exports',
      query: z.strictObject(pageQuery('accountExport')),
      answers: {
        200: { description: 'A page of exports.', schema: pageOf(schema.exportView, 'AccountExportList') },
      },
      handler: async ({ ctx, query }) => {
        const found = await exports.list(ctx, { ...query, limit: query.limit + 1 });
        return { status: 200, body: toPage(found, query, 'accountExport', (row) => schema.showExport(row)) };
      },
    }),
    defineRoute({
      ...exporting,
      method: 'GET',
      path: '/v1/account/exports/:id',
      operationId: 'getExport',
      summary: 'Get an export',
      description: 'Shows how far it is and, once it is ready, a link to the archive.',
      problems: [privacyErrors.exportNotFound],
      params: idParams('accountExport'),
      answers: { 200: { description: 'The export.', schema: schema.exportView } },
      handler: async ({ ctx, params: { id } }) => {
        const { row, url } = await exports.get(ctx, id);
        return { status: 200, body: schema.showExport(row, url) };
      },
    }),
  ];
}
