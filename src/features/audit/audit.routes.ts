import { z } from 'zod';
import { refuseEmptyRange } from '../../platform/http/api-fields.ts';
import { exportAnswer, exportQuery, exportReply } from '../../platform/http/export.ts';
import { pageOf, pageQuery, toPage } from '../../platform/http/page.ts';
import { defineRoute, type Operation, type Route } from '../../platform/http/route.ts';
import type { AuditRow } from './audit.model.ts';
import { auditEntryView, auditFilters, filterOf, showEntry } from './audit.schema.ts';
import type { AuditService } from './audit.service.ts';

const read = { tag: 'Audit log', scope: 'audit:read' } satisfies Partial<Operation>;

const COLUMNS = [
  'id',
  'at',
  'mode',
  'actor_type',
  'actor_id',
  'actor_name',
  'ip',
  'user_agent',
  'request_id',
  'action',
  'target_type',
  'target_id',
  'changed',
  'before',
  'after',
];

/** What was changed in the account, and by whom. */
export function auditRoutes(audit: AuditService): Route[] {
  return [
    defineRoute({
      ...read,
      method: 'GET',
      path: '/v1/audit-log',
      operationId: 'listAuditLog',
      summary: 'List changes',
      description:
        'What keys, users and Pingr itself changed in the account, kept for 180 days. A test key sees changes in test mode alone.',
      query: z.strictObject({ ...pageQuery('auditEntry'), ...auditFilters }).superRefine(refuseEmptyRange),
      answers: { 200: { description: 'A page of changes.', schema: pageOf(auditEntryView, 'AuditLog') } },
      handler: async ({ ctx, query }) => {
        const page = { limit: query.limit + 1, after: query.after };
        const found = await audit.list(ctx, filterOf(query), page);
        return { status: 200, body: toPage(found, query, 'auditEntry', showEntry) };
      },
    }),
    defineRoute({
      ...read,
      method: 'GET',
      path: '/v1/audit-log/export',
      operationId: 'exportAuditLog',
      summary: 'Export changes',
      cost: 10,
      query: z.strictObject({ ...exportQuery, ...auditFilters }).superRefine(refuseEmptyRange),
      answers: { 200: exportAnswer('The changes, newest first.') },
      handler: async ({ ctx, query }) =>
        exportReply({
          format: query.format,
          name: 'audit-log',
          columns: COLUMNS,
          pages: cellsOf(audit.pages(ctx, filterOf(query))),
        }),
    }),
  ];
}

async function* cellsOf(pages: AsyncIterable<AuditRow[]>) {
  for await (const rows of pages) yield rows.map(cells);
}

/** One line of an export; what is nested goes as JSON. */
function cells(row: AuditRow): Record<string, string | null> {
  const { actor, target, changed, before, after, ...plain } = showEntry(row);
  const json = (value: unknown) => (value === null ? null : JSON.stringify(value));
  return {
    ...plain,
    actor_type: actor.type,
    actor_id: actor.id,
    actor_name: actor.name,
    target_type: target.type,
    target_id: target.id,
    changed: changed && changed.join(' '),
    before: json(before),
    after: json(after),
  };
}
