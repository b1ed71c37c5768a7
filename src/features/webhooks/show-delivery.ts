import { toId } from '../../lib/ids.ts';
import type { DeliveryRow } from './deliveries.model.ts';
import type { AttemptView, DeliveryView } from './deliveries.schema.ts';
import type { DeliveryDetail, OpenAttempt } from './read-deliveries.ts';

/** A stored delivery as the API shows it. */
export function showDelivery(row: DeliveryRow): DeliveryView {
  return {
    id: toId('delivery', row.id),
    endpoint_id: toId('webhookEndpoint', row.endpoint_id),
    event_id: toId('event', row.event_id),
    event_type: row.event_type,
    event_at: row.event_at.toISOString(),
    session_id: row.session_id && toId('session', row.session_id),
    message_id: row.message_id && toId('message', row.message_id),
    sample: row.sample,
    status: row.status,
    attempt_count: row.attempts,
    next_attempt_at: row.status === 'pending' ? (row.next_attempt_at?.toISOString() ?? null) : null,
    finished_at: row.finished_at?.toISOString() ?? null,
    last_status_code: row.last_status_code,
    last_error: row.last_error,
    created_at: row.created_at.toISOString(),
  };
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
