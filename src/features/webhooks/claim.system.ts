import type { SystemTx } from '../../platform/db/scope.ts';
import type { WebhookEndpointRow } from './webhooks.model.ts';

/** A lane that has room for deliveries. */
export interface ClaimAsk {
  endpointId: string;
  epoch: number;
  room: number;
}

/** A delivery that is now `sending`, with the attempt that was written for it. Ids are UUIDs. */
export interface ClaimedDelivery {
  id: string;
  attempt_id: string;
  /** Number of the attempt. */
  number: number;
  /** Tries before this one since the schedule began. */
  tries: number;
  event_id: string;
  event_type: string;
  event_at: string;
  sample: boolean;
  /** The event as stored; null where it is no longer kept, and for samples. */
  event: {
    txid: string;
    session_id: string | null;
    message_id: string | null;
    data: Record<string, unknown>;
    created_at: string;
  } | null;
}

/** The endpoint as it is now. */
export type ClaimedEndpoint = Pick<
  WebhookEndpointRow,
  'id' | 'account_id' | 'url' | 'headers' | 'secret' | 'previous_secret' | 'previous_secret_until' | 'enabled'
>;

export interface ClaimRow extends ClaimedEndpoint {
  epoch: string;
  /** Milliseconds until the rest is over that the receiver asked for; null where it asked for none. */
  resting_ms: number | null;
  /** Milliseconds until the next of those that were not taken is due, at most 0 where it is; null where none waits. */
  next_ms: number | null;
  taken: ClaimedDelivery[] | null;
}

/**
 * Takes due deliveries for lanes that this worker holds, in the order in which they became due, and writes their
 * attempts. Of one message nothing is taken while something earlier is on its way or was not tried yet. While the
 * receiver rests, samples that nobody has tried are taken and nothing else: somebody waits to see what it answers.
 * `for share` on the lane keeps a new owner from clearing up until what was taken here can be seen.
 * @returns a row for each lane that is still held
 */
export function claimDeliveries(tx: SystemTx, owner: string, asks: readonly ClaimAsk[]): Promise<ClaimRow[]> {
  return tx.query<ClaimRow>(CLAIM, [
    owner,
    asks.map(({ endpointId }) => endpointId),
    asks.map(({ epoch }) => epoch),
    asks.map(({ room }) => room),
  ]);
}

const CLAIM = `
  with asked as (
    select * from unnest($2::uuid[], $3::bigint[], $4::integer[]) as a (endpoint_id, epoch, room)
  ), lane as materialized (
    select l.endpoint_id, l.epoch, a.room
    from asked a join webhook_lanes l on l.endpoint_id = a.endpoint_id and l.epoch = a.epoch
    where l.owner = $1 order by l.endpoint_id for share of l
  ), open as materialized (
    select lane.endpoint_id, lane.room, coalesce(e.resting_until > now(), false) as resting
    from lane join webhook_endpoints e on e.id = lane.endpoint_id and e.enabled
  ), due as materialized (
    select d.id from open cross join lateral (
      select d.id from webhook_deliveries d
      where d.endpoint_id = open.endpoint_id and d.status = 'pending' and d.next_attempt_at <= now()
        and not exists (
          select from webhook_deliveries b
          where b.endpoint_id = d.endpoint_id and b.message_id = d.message_id and b.status in ('pending', 'sending')
            and (b.status = 'sending' or b.tries = 0) and (b.rank, b.id) < (d.rank, d.id) offset 0)
      order by d.next_attempt_at, d.id limit open.room for no key update skip locked
    ) d
    where not open.resting
    union all
    select d.id from open cross join lateral (
      select d.id from webhook_deliveries d
      where d.endpoint_id = open.endpoint_id and d.status = 'pending' and d.sample and d.tries = 0
        and d.next_attempt_at <= now()
      limit open.room for no key update skip locked
    ) d
    where open.resting
  ), taken as (
    update webhook_deliveries d set status = 'sending', attempts = d.attempts + 1, next_attempt_at = null
    where d.id = any(array(select id from due))
    returning d.id, d.account_id, d.mode, d.endpoint_id, d.event_id, d.event_type, d.event_at, d.sample, d.attempts, d.tries
  ), tried as (
    insert into webhook_attempts (id, account_id, mode, delivery_id, endpoint_id, number, started_at)
    select app.new_uuid(), account_id, mode, id, endpoint_id, attempts, now() from taken
    returning id, delivery_id
  ), claimed as (
    select t.endpoint_id, json_agg(json_build_object('id', t.id, 'attempt_id', a.id, 'number', t.attempts, 'tries', t.tries,
      'event_id', t.event_id, 'event_type', t.event_type, 'event_at', t.event_at, 'sample', t.sample, 'event', ev.event)
      order by t.id) as deliveries
    from taken t join tried a on a.delivery_id = t.id
    left join lateral (
      select json_build_object('txid', ev.txid::text, 'session_id', ev.session_id, 'message_id', ev.message_id,
        'data', ev.data, 'created_at', ev.created_at) as event
      from events ev where ev.id = t.event_id and not t.sample offset 0
    ) ev on true
    group by t.endpoint_id
  )
  select e.id, e.account_id, e.url, e.headers, e.secret, e.previous_secret, e.previous_secret_until, e.enabled,
    lane.epoch, claimed.deliveries as taken,
    greatest(0, extract(epoch from e.resting_until - now()) * 1000)::float8 as resting_ms,
    (select extract(epoch from d.next_attempt_at - now()) * 1000 from webhook_deliveries d
      where d.endpoint_id = lane.endpoint_id and d.status = 'pending' and d.id <> all(array(select id from due))
      order by d.next_attempt_at limit 1)::float8 as next_ms
  from lane join webhook_endpoints e on e.id = lane.endpoint_id left join claimed using (endpoint_id)`;
