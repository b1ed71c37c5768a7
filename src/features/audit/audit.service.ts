import type { Context } from '../../platform/context.ts';
import type { Database } from '../../platform/db/database.ts';
import { bothModes } from '../../platform/db/scope.ts';
import type { AuditRow } from './audit.model.ts';
import { type AuditFilter, listChanges } from './audit.store.ts';

/** What was changed in an account, by whom. A live caller sees both modes and what has none; a test key its own. */
export interface AuditService {
  list(
    ctx: Context,
    filter: AuditFilter,
    page: { limit: number; after?: string | undefined },
  ): Promise<AuditRow[]>;
  /** All of them, page by page, newest first. */
  pages(ctx: Context, filter: AuditFilter): AsyncIterable<AuditRow[]>;
}

const PAGE = 1_000;

export function createAuditService({ database }: { database: Pick<Database, 'accountOnce'> }): AuditService {
  const list: AuditService['list'] = (ctx, filter, page) =>
    database.accountOnce(ctx.mode === 'live' ? bothModes(ctx) : ctx, (tx) => listChanges(tx, filter, page));

  return {
    list,

    async *pages(ctx, filter) {
      let after: string | undefined;
      while (true) {
        const rows = await list(ctx, filter, { limit: PAGE, after });
        yield rows;
        after = rows.at(-1)?.id;
        if (rows.length < PAGE) return;
      }
    },
  };
}
