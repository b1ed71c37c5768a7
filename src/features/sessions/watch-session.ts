import { PingrError } from '../../lib/errors.ts';
import { toId } from '../../lib/ids.ts';
import type { Context } from '../../platform/context.ts';
import type { ServerSentEvent } from '../../platform/http/event-stream.ts';
import type { SessionChanges } from './session-changes.ts';
import type { SessionRow } from './sessions.model.ts';
import type { SessionsService } from './sessions.service.ts';
import { showSession } from './show-session.ts';

/** Longest time between two looks at the row, should a notice be lost. */
const LOOK_EVERY_MS = 2_000;

/**
 * Streams `status` whenever the session's status or its reason changes and `qr` whenever a new code is shown, the current
 * ones first; ends with `deleted`. While the session cannot be read the stream waits.
 */
export async function* watchSession(
  deps: { sessions: Pick<SessionsService, 'get'>; changes: SessionChanges },
  ctx: Context,
  id: string,
  signal: AbortSignal,
): AsyncGenerator<ServerSentEvent> {
  let last: SessionRow | undefined;
  while (!signal.aborted) {
    const changed = deps.changes.next(id, LOOK_EVERY_MS, signal);
    const row = await deps.sessions.get(ctx, id).catch(whatIsWrong);
    if (row === 'deleted') return yield { event: 'deleted', data: { session: toId('session', id) } };
    if (row !== 'unreadable') {
      if (hasNews(row, last)) yield { event: 'status', data: showSession(row) };
      if (row.qr !== null && row.qr !== last?.qr) yield { event: 'qr', data: showQr(row) };
      last = row;
    }
    await changed;
  }
}

function whatIsWrong(error: unknown): 'deleted' | 'unreadable' {
  return error instanceof PingrError && error.definition.status === 404 ? 'deleted' : 'unreadable';
}

function hasNews(row: SessionRow, last: SessionRow | undefined): boolean {
  return row.status !== last?.status || row.status_code !== last.status_code || row.phone !== last.phone;
}

/** The code that a session shows now. */
export function showQr(row: Pick<SessionRow, 'id' | 'qr' | 'qr_expires_at'>) {
  return {
    session: toId('session', row.id),
    qr: row.qr ?? '',
    expires_at: row.qr_expires_at?.toISOString() ?? '',
  };
}
