import { toId } from '../../lib/ids.ts';
import { pacingOf, type SessionRow } from './sessions.model.ts';
import type { SessionView } from './sessions.schema.ts';

/** A stored session as the API shows it. */
export function showSession(row: SessionRow): SessionView {
  return {
    id: toId('session', row.id),
    name: row.name,
    mode: row.mode,
    status: row.status,
    status_reason: row.status_code === null ? null : { code: row.status_code, detail: row.status_detail },
    status_at: row.status_at.toISOString(),
    phone: row.phone && `+${row.phone}`,
    lid: row.lid,
    display_name: row.display_name,
    pacing: pacingOf(row),
    linked_at: row.linked_at?.toISOString() ?? null,
    created_at: row.created_at.toISOString(),
  };
}
