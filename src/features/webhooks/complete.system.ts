import type { SystemTx } from '../../platform/db/scope.ts';
import type { AttemptOutcome } from './deliveries.model.ts';

/** What became of a claimed delivery. Ids are UUIDs. */
export interface Outcome {
  attemptId: string;
  deliveryId: string;
  endpointId: string;
  /** Of the lane that claimed it. */
  epoch: number;
  /** Number of the attempt. */
  number: number;
  /** `unsent`: given back before a request left; its attempt is taken out of the record. */
  outcome: AttemptOutcome | 'unsent';
  status: 'delivered' | 'pending' | 'failed';
  /** With `pending`: milliseconds until the next try. */
  delayMs: number;
  /** When the request left; null where none did. */
  startedAt: Date | null;
  durationMs: number | null;
  statusCode: number | null;
  error: string | null;
  /** Sealed. */
  response: Buffer | null;
  /** The receiver asked for so many milliseconds of rest. */
  restMs: number | null;
}

/** A lane that outcomes were written for and that is still the worker's. */
interface HeldRow {
  endpoint_id: string;
  epoch: string;
  /** For how many milliseconds nothing has succeeded; null where something has. */
  failing_ms: number | null;
}

/**
 * Writes outcomes, at most one an attempt. An attempt is closed whoever holds the lane now, since what happened
 * happened; the delivery and the endpoint change only under the epoch that claimed them, and once.
 * @returns the lanes that are still held
 */
export function completeDeliveries(
  tx: SystemTx,
  owner: string,
  outcomes: readonly Outcome[],
): Promise<HeldRow[]> {
  return tx.query<HeldRow>(COMPLETE, [
    owner,
    outcomes.map((o) => o.attemptId),
    outcomes.map((o) => o.deliveryId),
    outcomes.map((o) => o.endpointId),
    outcomes.map((o) => o.epoch),
    outcomes.map((o) => o.number),
    outcomes.map((o) => o.outcome),
    outcomes.map((o) => o.status),
    outcomes.map((o) => o.delayMs),
    outcomes.map((o) => o.startedAt),
    outcomes.map((o) => o.durationMs),
    outcomes.map((o) => o.statusCode),
    outcomes.map((o) => o.error),
    outcomes.map((o) => o.response),
    outcomes.map((o) => o.restMs),
  ]);
}

/** `is not distinct from` keeps the planner from the partial index of all that is on its way. */
const COMPLETE = `
  with news as materialized (
    select * from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::bigint[], $6::smallint[], $7::text[], $8::text[],
        $9::bigint[], $10::timestamptz[], $11::integer[], $12::smallint[], $13::text[], $14::bytea[], $15::bigint[])
      as n (attempt_id, delivery_id, endpoint_id, epoch, number, outcome, status, delay_ms, started_at, duration_ms,
        status_code, error, response, rest_ms)
  ), held as materialized (
    select l.endpoint_id, l.epoch from webhook_lanes l
    where l.owner = $1 and (l.endpoint_id, l.epoch) in (select endpoint_id, epoch from news)
    order by l.endpoint_id for share
  ), closed as (
    update webhook_attempts a set outcome = n.outcome, started_at = coalesce(n.started_at, a.started_at),
      duration_ms = n.duration_ms, status_code = n.status_code, error = n.error, response = n.response
    from news n
    where a.id = n.attempt_id and a.id = any($2) and n.outcome <> 'unsent'
      and (a.outcome is null or a.outcome = 'interrupted')
    returning a.id
  ), withdrawn as (
    delete from webhook_attempts a using news n join held h using (endpoint_id, epoch)
    where a.id = n.attempt_id and a.id = any($2) and n.outcome = 'unsent' and a.outcome is null
    returning a.id
  ), settled as (
    update webhook_deliveries d set status = n.status,
      attempts = d.attempts - case n.outcome when 'unsent' then 1 else 0 end,
      tries = d.tries + case when n.outcome in ('succeeded', 'failed') then 1 else 0 end,
      next_attempt_at = case n.status when 'pending' then now() + make_interval(secs => n.delay_ms / 1000.0) end,
      finished_at = case when n.status <> 'pending' then now() end,
      last_status_code = case n.outcome when 'unsent' then d.last_status_code else n.status_code end,
      last_error = case n.outcome when 'unsent' then d.last_error else n.error end
    from news n join held h using (endpoint_id, epoch)
    where d.id = n.delivery_id and d.id = any($3) and d.attempts = n.number and d.status is not distinct from 'sending'
      and n.attempt_id = any(array(select id from closed union all select id from withdrawn))
  ), tally as (
    select n.endpoint_id, h.epoch, bool_or(n.outcome = 'succeeded') as succeeded,
      coalesce(bool_or(n.outcome = 'failed' and n.started_at is not null), false) as failed, max(n.rest_ms) as rest_ms
    from news n join held h using (endpoint_id, epoch) group by n.endpoint_id, h.epoch
  ), rested as (
    update webhook_lanes l set paused_until = now() + make_interval(secs => t.rest_ms / 1000.0)
    from tally t where l.endpoint_id = t.endpoint_id and l.epoch = t.epoch and t.rest_ms is not null
  ), turned as (
    update webhook_endpoints e set failing_since = case when t.succeeded then null else now() end
    from tally t
    where e.id = t.endpoint_id
      and (t.succeeded and e.failing_since is not null or t.failed and not t.succeeded and e.failing_since is null)
  )
  select t.endpoint_id, t.epoch,
    case when not t.succeeded then extract(epoch from now() - e.failing_since) * 1000 end::float8 as failing_ms
  from tally t join webhook_endpoints e on e.id = t.endpoint_id`;
