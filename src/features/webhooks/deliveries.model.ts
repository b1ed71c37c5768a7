import type { Mode } from '../../lib/mode.ts';

export const DELIVERY_STATUSES = ['pending', 'sending', 'delivered', 'failed', 'cancelled'] as const;

/**
 * `pending` waits for its time, `sending` is on its way, `delivered` got a 2xx. `failed` has used up its tries and can
 * be replayed; `cancelled` lost its endpoint.
 */
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

/** One event for one endpoint, as stored. Ids are UUIDs. */
export interface DeliveryRow {
  id: string;
  account_id: string;
  mode: Mode;
  endpoint_id: string;
  event_id: string;
  event_type: string;
  event_at: Date;
  session_id: string | null;
  message_id: string | null;
  /** Place among the deliveries of one message. */
  rank: number;
  /** The event is no fact but a sample that the customer asked for. */
  sample: boolean;
  status: DeliveryStatus;
  /** All attempts so far. */
  attempts: number;
  /** Attempts since the schedule began, or was begun again by a replay. */
  tries: number;
  next_attempt_at: Date | null;
  finished_at: Date | null;
  last_status_code: number | null;
  last_error: string | null;
  created_at: Date;
}

export const ATTEMPT_OUTCOMES = ['succeeded', 'failed', 'interrupted'] as const;

/** `interrupted`: the worker ended before it knew; the receiver may have got the request. */
export type AttemptOutcome = (typeof ATTEMPT_OUTCOMES)[number];

/** One try of a delivery, as stored. */
export interface AttemptRow {
  id: string;
  delivery_id: string;
  number: number;
  started_at: Date;
  /** Null while it runs. */
  outcome: AttemptOutcome | null;
  duration_ms: number | null;
  status_code: number | null;
  error: string | null;
  /** First 4 KB of the response's body, sealed. */
  response: Uint8Array | null;
}
