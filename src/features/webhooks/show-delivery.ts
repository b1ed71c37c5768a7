import { toId } from '../../lib/ids.ts';
import type { DeliveryRow } from './deliveries.model.ts';
import type { AttemptView, DeliveryView } from './deliveries.schema.ts';
import type { WaitingRow } from './deliveries.store.ts';
import { isEventType } from './event-types.ts';
import type { DeliveryDetail, OpenAttempt } from './read-deliveries.ts';
import { sampleSubject } from './sample-event.ts';

/** A stored delivery as the API shows it. One whose endpoint's rest is not known has just been let go of it. */
export function showDelivery(row: DeliveryRow | WaitingRow): DeliveryView {
  return {
    id: toId('delivery', row.id),
    endpoint_id: toId('webhookEndpoint', row.endpoint_id),
    event_id: toId('event', row.event_id),
    event_type: row.event_type,
    event_at: row.event_at.toISOString(),
    ...subjectOf(row),
    sample: row.sample,
    status: row.status,
    attempt_count: row.attempts,
    next_attempt_at: row.status === 'pending' ? (nextAttemptOf(row)?.toISOString() ?? null) : null,
    finished_at: row.finished_at?.toISOString() ?? null,
    last_status_code: row.last_status_code,
    last_error: row.last_error,
    created_at: row.created_at.toISOString(),
  };
}

function subjectOf({ sample, event_type: type, session_id, message_id }: DeliveryRow) {
  if (sample && isEventType(type)) return sampleSubject(type);
  return {
    session_id: session_id && toId('session', session_id),
    message_id: message_id && toId('message', message_id),
  };
}

/** Not before the receiver has rested, which a sample's first try does not wait for. */
function nextAttemptOf(row: DeliveryRow | WaitingRow): Date | null {
  const { next_attempt_at: due, sample, tries } = row;
  const rested = 'resting_until' in row && !(sample && tries === 0) ? row.resting_until : null;
  return due !== null && rested !== null && rested > due ? rested : due;
}

/** A delivery with its attempts and what is sent. */
export function showDeliveryDetail({ row, attempts, payload }: DeliveryDetail) {
  return {
    ...showDelivery(row),
    attempts: attempts.map(showAttempt),
    payload: payload && { ...payload },
  };
}

function showAttempt(attempt: OpenAttempt): AttemptView {
  return {
    id: toId('attempt', attempt.id),
    number: attempt.number,
    started_at: attempt.started_at.toISOString(),
    duration_ms: attempt.duration_ms,
    outcome: attempt.outcome,
    status_code: attempt.status_code,
    error: attempt.error,
    response: attempt.responseText,
  };
}
