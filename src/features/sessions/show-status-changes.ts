import { toId } from '../../lib/ids.ts';
import type { Database } from '../../platform/db/database.ts';
import type { EventSubject, StoredFact } from '../events/event-subjects.service.ts';
import { SESSION_STATUS_EVENT } from './sessions.events.ts';
import type { SessionView } from './sessions.schema.ts';
import { findSessions } from './sessions.store.ts';
import { showSession } from './show-session.ts';

/** How events about sessions look. */
export function sessionEvents({ database }: { database: Pick<Database, 'accountOnce'> }): EventSubject {
  return {
    types: [SESSION_STATUS_EVENT],
    fromFact: (fact) => asItWas(fact),
    async show(ctx, facts) {
      const ids = facts.flatMap(({ session_id: id }) => id ?? []);
      const rows = await database.accountOnce(ctx, (tx) => findSessions(tx, [...new Set(ids)]));
      const sessions = new Map(rows.map((row) => [row.id, showSession(row)]));
      return facts.map((fact) => asItWas(fact, sessions.get(fact.session_id ?? '')));
    },
  };
}

/** What belongs to a number, and is not known of another one than the present. */
const UNKNOWN = { lid: null, display_name: null, linked_at: null };

/** The session's present view under the status, reason and number that the fact holds. */
function asItWas({ data, mode, session_id: id, created_at: at }: StoredFact, now?: SessionView): object {
  const code = text(data['code']);
  const detail = text(data['detail']);
  const phone = withPlus(text(data['phone']));
  return {
    ...now,
    ...(now !== undefined && now.phone !== phone && UNKNOWN),
    ...data,
    id: id && toId('session', id),
    mode,
    status_reason: code === null ? null : { code, detail },
    status_at: at.toISOString(),
    phone,
    code,
    detail,
  };
}

/** Facts hold the digits of numbers. */
function withPlus(digits: string | null): string | null {
  return digits === null || digits.startsWith('+') ? digits : `+${digits}`;
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
