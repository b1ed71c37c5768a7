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
  /** Where the request went; null where none did. */
  url: string | null;
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
  /** For how many milliseconds attempts have failed in a row; null where one succeeded, or none was made. */
  failing_ms: number | null;
}

/**
 * Writes outcomes, at most one an attempt. An attempt is closed whoever holds the lane now, since what happened
 * happened; the delivery and the endpoint change only under the epoch that claimed them, and once. An answer says
 * something about the endpoint only where it came from the URL that the endpoint still has.
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
    outcomes.map((o) => o.url),
  ]);
}

/**
 * When the present run of failed attempts began. A run needs attempts: a day without one, which is longer than any
 * pause between two tries and any rest, ends it.
 */
const FAILING_SINCE = `
  case when e.last_failure_at > now() - interval '1 day' then coalesce(e.failing_since, now()) else now() end`;

/** `is not distinct from` keeps the planner from the partial index of all that is on its way. */
const COMPLETE = `
  with news as materialized (
    select * from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::bigint[], $6::smallint[], $7::text[], $8::text[],
        $9::bigint[], $10::timestamptz[], $11::integer[], $12::smallint[], $13::text[], $14::bytea[], $15::bigint[],
        $16::text[])
      as n (attempt_id, delivery_id, endpoint_id, epoch, number, outcome, status, delay_ms, started_at, duration_ms,
        status_code, error, response, rest_ms, url)
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
    select n.endpoint_id, n.url, bool_or(n.outcome = 'succeeded') as succeeded,
      bool_or(n.outcome = 'failed') and not bool_or(n.outcome = 'succeeded') as failed, max(n.rest_ms) as rest_ms
    from news n join held h using (endpoint_id, epoch) where n.url is not null group by n.endpoint_id, n.url
  ), turned as (
    update webhook_endpoints e set
      failing_since = case when t.succeeded then null when t.failed then ${FAILING_SINCE} else e.failing_since end,
      last_failure_at = case when t.failed then now() else e.last_failure_at end,
      resting_until = coalesce(now() + make_interval(secs => t.rest_ms / 1000.0), e.resting_until)
    from tally t
    where e.id = t.endpoint_id and e.url = t.url
      and (t.succeeded and e.failing_since is not null
        -- Seldom while attempts fail one after the other.
        or t.failed and (e.failing_since is null or e.last_failure_at is null
          or e.last_failure_at < now() - interval '1 minute')
        or t.rest_ms is not null)
  )
  select h.endpoint_id, h.epoch,
    case when t.failed then extract(epoch from now() - (${FAILING_SINCE})) * 1000 end::float8 as failing_ms
  from held h join webhook_endpoints e on e.id = h.endpoint_id
  left join tally t on t.endpoint_id = e.id and t.url = e.url`;
